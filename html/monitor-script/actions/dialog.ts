/**
 * The one dialog of the console: shows a question and gives back what was chosen. The browser's own
 * `<dialog>` keeps the focus inside and closes it on Escape.
 */
import { find, make, makeIcon, setText } from '../kit/dom.ts'
import type { Choice, DenyScope, Question, Reach, ScopeChoice } from './questions.ts'
import { DENIED } from '../kit/texts.ts'

/** Undefined when it was cancelled. One question at a time. */
export type AskOperator = (question: Question) => Promise<Choice | undefined>

/** How many others a choice would reach; undefined where that cannot be found out. */
export type CountOthers = (reach: Reach) => Promise<number | undefined>

export function openDialog (countOthers: CountOthers): AskOperator {
  const dialog = find<HTMLDialogElement>('dialog')
  const form = find<HTMLFormElement>('dialog-form')
  let current: Question | undefined
  let isAgreed = false
  let answer = (): void => {}

  find('dialog-cancel').addEventListener('click', () => { dialog.close() })
  form.addEventListener('submit', () => { isAgreed = true })
  form.addEventListener('change', () => {
    if (current !== undefined) showTerms(current, form)
  })
  // Comes in a task of its own: by then the next question may be shown.
  dialog.addEventListener('close', () => { if (!dialog.open) answer() })

  return question => {
    answer()
    current = question
    isAgreed = false
    form.reset()
    show(question, form)
    for (const choice of question.scopes ?? []) {
      void showReach(choice, countOthers, () => current === question)
    }
    dialog.showModal()
    form.scrollTop = 0
    const first = question.asks?.includes('target') === true ? 'target' : 'dialog-cancel'
    find(first).focus()
    return new Promise(resolve => {
      answer = () => {
        current = undefined
        resolve(isAgreed ? choiceOf(form, question) : undefined)
      }
    })
  }
}

function show (question: Question, form: HTMLFormElement): void {
  const { title, what, picked = [], asks = [], scopes = [], note = '' } = question
  setText(find('dialog-title'), title)
  setText(find('dialog-what'), what)
  find('dialog-picked').replaceChildren(...picked.map(id => make('li', '', id)))
  find('dialog-picked').hidden = picked.length === 0
  find('dialog-target').hidden = !asks.includes('target')
  find<HTMLInputElement>('target').required = asks.includes('target')
  find('dialog-minutes').hidden = !asks.includes('minutes')
  find('dialog-reason').hidden = !asks.includes('reason')
  find('dialog-moves').hidden = !asks.includes('moves')
  find('dialog-note').hidden = !asks.includes('note')
  find<HTMLInputElement>('note').value = note
  find('dialog-scope').hidden = scopes.length === 0
  find('dialog-scopes').replaceChildren(...scopes.map(makeScope))
  showTerms(question, form)
}

/** What depends on the duration. */
function showTerms (question: Question, form: HTMLFormElement): void {
  const { until, happens = [], warning, go } = question
  const minutes = chosenMinutes(form, question)
  const lines = [
    ...[...(until === undefined ? [] : [until(minutes)]), ...happens].map(text =>
      make('li', '', makeIcon('icon-check'), make('span', '', text))),
    ...(warning === undefined
      ? []
      : [make('li', 'warn', makeIcon('icon-warning'), make('span', '', warning))])
  ]
  find('dialog-happens').replaceChildren(...lines)
  find('dialog-happens').hidden = lines.length === 0
  setText(find('dialog-go'), go(minutes))
}

function makeScope ({ scope, label, hint }: ScopeChoice, index: number): HTMLElement {
  const radio = make('input', 'check round')
  radio.type = 'radio'
  radio.name = 'scope'
  radio.value = scope
  radio.defaultChecked = index === 0
  const small = make('small', '', hint)
  small.id = hintId(scope)
  return make('label', 'choice', radio, make('span', '', label), small)
}

async function showReach (
  { scope, reach }: ScopeChoice, countOthers: CountOthers, isCurrent: () => boolean
): Promise<void> {
  if (reach === undefined) return
  const others = await countOthers(reach)
  if (others === undefined || !isCurrent()) return
  setText(find(hintId(scope)), DENIED.shared(others, scope === 'ranges'))
}

function hintId (scope: DenyScope): string {
  return `scope-${scope}-hint`
}

function choiceOf (form: HTMLFormElement, question: Question): Choice {
  const text = question.asks?.includes('note') === true ? 'note' : 'reason'
  return {
    reason: find<HTMLInputElement>(text).value.trim(),
    minutes: chosenMinutes(form, question),
    scope: (new FormData(form).get('scope') ?? 'ids') as DenyScope,
    target: find<HTMLInputElement>('target').value.trim()
  }
}

function chosenMinutes (form: HTMLFormElement, { asks = [] }: Question): number | undefined {
  const minutes = new FormData(form).get(asks.includes('moves') ? 'moves' : 'minutes')
  return minutes === null || minutes === '' ? undefined : Number(minutes)
}
