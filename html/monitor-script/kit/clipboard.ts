/** A button that copies the text beside it, and says for a moment that it has. */
import { setText } from './dom.ts'
import { COPY } from './texts.ts'

const COPIED_MS = 2000

export function offerCopy (button: HTMLElement, element: HTMLElement): void {
  button.addEventListener('click', () => {
    void copyText(element).then(isCopied => {
      setText(button, isCopied ? COPY.copied : COPY.selected)
      setTimeout(() => { setText(button, COPY.copy) }, COPIED_MS)
    })
  })
}

/** Where there is no clipboard (plain http by an address), the text is selected at least. */
async function copyText (element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent)
    return true
  } catch {
    getSelection()?.selectAllChildren(element)
    return false
  }
}
