/**
 * `/theme.js`, loaded before anything is painted, so that the page has the chosen theme from the
 * start.
 */
import { THEME_CHANGE, theme } from './kit/appearance.ts'

theme.start()
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  document.dispatchEvent(new CustomEvent(THEME_CHANGE))
})
