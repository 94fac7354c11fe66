/** What esbuild takes into a page's style sheet. */
declare module '*.css'
