"""What the installed build of the engine computes on: read from the library, nothing is loaded.

It knows the library's list of devices; which graphics processors the machine has it does not.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

_PROCESSOR = "GGML_BACKEND_DEVICE_TYPE_CPU"


def devices() -> tuple[str, ...]:
    """Names of what the build uses beside the processor; empty for a build for processors only."""
    try:
        import xllamacpp
    except ImportError:
        return ()
    return tuple(
        str(device["description"] or device["name"])
        for device in xllamacpp.get_device_info()
        if device["type"].name != _PROCESSOR
    )


def build() -> str:
    """The library and its version, or "" if it is not installed."""
    try:
        return f"xllamacpp {version('xllamacpp')}"
    except PackageNotFoundError:
        return ""
