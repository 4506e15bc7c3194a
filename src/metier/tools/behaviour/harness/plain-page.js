// A page without a framework, for modules of plain JavaScript or TypeScript.
import registry from 'metier:registry';

globalThis.__metier = { registry, framework: {} };
