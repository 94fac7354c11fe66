/** How what takes the place of a part of dist/ is built, as scripts/build.mjs builds that. */
export const AS_COMMONJS = {
  format: 'cjs',
  define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '__filename' }
} as const
