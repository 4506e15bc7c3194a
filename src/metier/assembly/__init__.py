"""Assembly: the one place where the units are put together.

``Metier`` is everything that a door may ask for; the other modules put together what stands
behind its methods. Heavy units are imported when a verb first needs them.
"""

from metier.assembly.metier import Metier
from metier.assembly.starting import DEFAULT_BASE
from metier.assembly.values import InstalledPart
from metier.assembly.workbench import never, today, toolchain

__all__ = ["DEFAULT_BASE", "InstalledPart", "Metier", "never", "today", "toolchain"]
