/**
 * The one dialog of the console: shows a question and gives back what was chosen. The browser's own
 * `<dialog>` keeps the focus inside and closes it on Escape.
 */
import { find, make, makeIcon, setText } from './dom.ts'
import type { Choice, Question } from './questions.ts'

/** Undefined when it was called off. One question at a time. */
export type AskOperator = (question: Question) => Promise<Choice | undefined>

export function openDialog (): AskOperator {
  const dialog = find<HTMLDialogElement>('dialog')
  const form = find<HTMLFormElement>('dialog-form')
  let current: Question | undefined
  let isAgreed = false

  find('dialog-cancel').addEventListener('click', () => { dialog.close() })
  form.addEventListener('submit', () => { isAgreed = true })
  form.addEventListener('change', () => {
    if (current !== undefined) setText(find('dialog-go'), current.go(chosenMinutes(form)))
  })

  return question => {
    current = question
    isAgreed = false
    form.reset()
    show(question, form)
    dialog.showModal()
    const first = question.asks?.includes('target') === true ? 'target' : 'dialog-cancel'
    find(first).focus()
    return new Promise(resolve => {
      dialog.addEventListener('close', () => {
        resolve(isAgreed ? choiceOf(form) : undefined)
      }, { once: true })
    })
  }
}

function show (question: Question, form: HTMLFormElement): void {
  const { title, what, picked = [], asks = [], addresses, happens = [], warning, go } = question
  setText(find('dialog-title'), title)
  setText(find('dialog-what'), what)
  find('dialog-picked').replaceChildren(...picked.map(id => make('li', '', id)))
  find('dialog-picked').hidden = picked.length === 0
  find('dialog-target').hidden = !asks.includes('target')
  find<HTMLInputElement>('target').required = asks.includes('target')
  find('dialog-minutes').hidden = !asks.includes('minutes')
  find('dialog-reason').hidden = !asks.includes('reason')
  find('dialog-address').hidden = addresses === undefined
  setText(find('only-ids'), addresses?.without ?? '')
  setText(find('and-addresses'), addresses?.with ?? '')
  const lines = [
    ...happens.map(text => make('li', '', makeIcon('icon-check'), make('span', '', text))),
    ...(warning === undefined
      ? []
      : [make('li', 'warn', makeIcon('icon-warning'), make('span', '', warning))])
  ]
  find('dialog-happens').replaceChildren(...lines)
  find('dialog-happens').hidden = lines.length === 0
  setText(find('dialog-go'), go(chosenMinutes(form)))
}

function choiceOf (form: HTMLFormElement): Choice {
  return {
    reason: find<HTMLInputElement>('reason').value.trim(),
    minutes: chosenMinutes(form),
    withAddresses: new FormData(form).get('address') === 'yes',
    target: find<HTMLInputElement>('target').value.trim()
  }
}

function chosenMinutes (form: HTMLFormElement): number | undefined {
  const minutes = new FormData(form).get('minutes')
  return minutes === null || minutes === '' ? undefined : Number(minutes)
}
