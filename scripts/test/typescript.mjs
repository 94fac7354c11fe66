/** Preloaded by every test process: has Node run TypeScript as it stands in the tree. */
import { register } from 'node:module'

// Node has it from 22.18 on.
if (!process.features.typescript) register('./typescript-hooks.mjs', import.meta.url)
