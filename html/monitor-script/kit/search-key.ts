/** `/` goes to the search of the view that is shown, unless somebody is typing. */
export function focusBySlash (search: HTMLInputElement, isShown: () => boolean): void {
  addEventListener('keydown', event => {
    if (event.key !== '/' || !isShown() || document.querySelector('dialog[open]') !== null) return
    const { target } = event
    if (target instanceof HTMLElement && target.matches('input:not([type=radio]), select')) return
    event.preventDefault()
    search.focus()
  })
}
