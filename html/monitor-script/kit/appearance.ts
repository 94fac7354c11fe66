/**
 * Light, dark, or as the system has it: an attribute of the page, which its style sheet follows.
 * Code that draws on a canvas listens on the document for THEME_CHANGE.
 */
import { Preference } from './preference.ts'

export const THEME_CHANGE = 'themechange'

/** The attribute is what counts, should a page have two of these. */
export const theme = new Preference({
  key: 'usher.theme',
  choices: ['system', 'light', 'dark'],
  event: THEME_CHANGE,
  apply: choice => {
    if (choice === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = choice
  },
  applied: () => {
    const set = document.documentElement.dataset['theme']
    return set === 'light' || set === 'dark' ? set : 'system'
  }
})
