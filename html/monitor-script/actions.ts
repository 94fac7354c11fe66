/**
 * What an operator does from the console, one request after the other, with a question where the
 * monitor asks one back. Each says in the end what was done, or how far it came. Touches no page.
 */
import type { Answer, Failure } from './api.ts'
import {
  addressesOf, denyOwnQuestion, drainLastQuestion, type Choice, type Question
} from './questions.ts'
import { DENIED, FAILURES, SERVERS, USERS } from './texts.ts'
import type { User } from './users-page.ts'

export interface ActionsParts {
  readonly post: (path: string, body: object) => Promise<Answer<unknown>>
  readonly ask: (question: Question) => Promise<Choice | undefined>
}

export interface Outcome {
  readonly isDone: boolean
  readonly text: string
}

/** The monitor's answer when it wants to be told that one means it. */
const CONFLICT = 409
const NOT_FOUND = 404

export class Actions {
  readonly #parts: ActionsParts

  constructor (parts: ActionsParts) {
    this.#parts = parts
  }

  /** Who has left in the meantime is as good as disconnected. */
  disconnect (users: readonly User[], { reason }: Choice): Promise<Outcome> {
    return each(users, USERS.disconnected(users.length), async ({ id }) => {
      const answer = await this.#parts.post('/disconnect', {
        userId: id, deny: false, ...optional({ reason })
      })
      return answer.isOk || answer.status === NOT_FOUND ? undefined : answer
    })
  }

  deny (users: readonly User[], choice: Choice): Promise<Outcome> {
    const { reason, minutes, withAddresses } = choice
    const terms = optional({ reason, minutes })
    const steps = [
      ...users.map(user => () => this.#denyUser(user, terms)),
      ...(withAddresses ? addressesOf(users) : [])
        .map(address => () => this.#denyAddress(address, terms))
    ]
    return each(steps, DENIED.done(users.length, minutes), step => step())
  }

  denyTarget ({ target, reason, minutes }: Choice): Promise<Outcome> {
    const terms = optional({ reason, minutes })
    return each([target], DENIED.targetDone(target, minutes), async () => isUuid(target)
      ? failureOf(await this.#parts.post('/deny', { userId: target, ...terms }))
      : await this.#denyAddress(target, terms))
  }

  allow (denied: { readonly userId?: string, readonly address?: string }): Promise<Outcome> {
    const { userId, address } = denied
    const who = userId ?? address ?? ''
    return each([who], DENIED.allowed(who), async () => {
      const answer = await this.#parts.post('/allow', optional({ userId, address }))
      // Over by itself, or allowed by somebody else.
      return answer.isOk || answer.status === NOT_FOUND ? undefined : answer
    })
  }

  drain (port: string): Promise<Outcome> {
    return each([port], SERVERS.drained(port), async () =>
      await this.#insist(`/servers/${port}/drain`, {}, drainLastQuestion(port)))
  }

  makeReady (port: string): Promise<Outcome> {
    return each([port], SERVERS.madeReady(port), async () =>
      failureOf(await this.#parts.post(`/servers/${port}/ready`, {})))
  }

  async #denyUser ({ id, kind }: User, terms: object): Promise<Failure | undefined> {
    if (kind === 'ip') return await this.#denyAddress(id, terms)
    const answer = await this.#parts.post('/disconnect', { userId: id, deny: true, ...terms })
    if (answer.isOk || answer.status !== NOT_FOUND) return failureOf(answer)
    // Gone in the meantime, and not to come back.
    return failureOf(await this.#parts.post('/deny', { userId: id, ...terms }))
  }

  async #denyAddress (address: string, terms: object): Promise<Failure | undefined> {
    return await this.#insist('/deny', { address, ...terms }, denyOwnQuestion(address))
  }

  /** Asks when the monitor would rather not, and then says that it is meant. */
  async #insist (path: string, body: object, question: Question): Promise<Failure | undefined> {
    const answer = await this.#parts.post(path, body)
    if (answer.isOk || answer.status !== CONFLICT) return failureOf(answer)
    if (await this.#parts.ask(question) === undefined) return answer
    return failureOf(await this.#parts.post(path, { ...body, force: true }))
  }
}

/** Stops at the first that fails: what comes after it would fail, too, or not be expected. */
async function each<Item> (
  items: readonly Item[], doneText: string, act: (item: Item) => Promise<Failure | undefined>
): Promise<Outcome> {
  let done = 0
  for (const item of items) {
    const failure = await act(item)
    if (failure !== undefined) {
      const why = failure.status === 0 ? FAILURES.unreachable : failure.message
      return { isDone: false, text: FAILURES.partly(done, items.length, why) }
    }
    done += 1
  }
  return { isDone: true, text: doneText }
}

function failureOf (answer: Answer<unknown>): Failure | undefined {
  return answer.isOk ? undefined : answer
}

/** Without what was left open. */
function optional (fields: Readonly<Record<string, string | number | undefined>>): object {
  return Object.fromEntries(Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== ''))
}

function isUuid (text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}
