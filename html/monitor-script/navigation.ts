/** Which view is shown: the address names it, so that the back button and a bookmark work. */
import { find } from './kit/dom.ts'
import { OVERVIEW } from './kit/texts.ts'

const VIEWS = ['overview', 'users', 'servers', 'denied', 'audit', 'account'] as const
export type View = typeof VIEWS[number]

/** @param onShow told of the view that is shown, now and whenever it changes */
export function startNavigation (onShow: (view: View) => void): void {
  let shown: View | undefined
  const show = (isByHand: boolean): void => {
    const view = viewOf(location.hash)
    const isAnother = view !== shown
    shown = view
    for (const each of VIEWS) find(`view-${each}`).hidden = each !== view
    for (const link of document.querySelectorAll('.rail a')) {
      if (link.getAttribute('href') === `#${view}`) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
    const title = find(`title-${view}`)
    document.title = OVERVIEW.title(title.textContent)
    if (isByHand && isAnother) {
      // The element with the focus may be hidden now; a screen reader reads the new heading.
      title.focus({ preventScroll: true })
      scrollTo(0, 0)
    }
    onShow(view)
  }
  addEventListener('hashchange', () => {
    // The skip link leads to the content of the view that is shown.
    if (location.hash !== '#main') show(true)
  })
  show(false)
}

/** The overview for anything that is no view. What a view is to show may follow, after a `?`. */
export function viewOf (hash: string): View {
  const [name] = hash.split('?')
  return VIEWS.find(view => name === `#${view}`) ?? 'overview'
}
