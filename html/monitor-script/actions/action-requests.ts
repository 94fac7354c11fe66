/**
 * What an operator does from the console, a few requests at a time, with a question where the
 * monitor asks one back. Each says in the end what was done, or how far it came, and what can be
 * undone of it. Touches no page.
 */
import type { TokenEntry } from '@usher/shared/api/tokens.ts'
import type { Reach, User } from '@usher/shared/api/users.ts'
import { lateOf, type Answer, type Failure } from '../kit/api.ts'
import { withBoundedConcurrency } from '../kit/bounded-concurrency.ts'
import {
  addressesOf, denyOwnQuestion, denyReachQuestion, drainLastNodeQuestion, drainLastQuestion,
  maintainLastQuestion, rangesOf, removeLastQuestion, restartLastQuestion, type Choice,
  type Question
} from './questions.ts'
import { DENIED, ELSEWHERE, FAILURES, FLEET, SERVERS, TOKENS, USERS } from '../kit/texts.ts'

export interface ActionsParts {
  readonly post: (path: string, body: object) => Promise<Answer<unknown>>
  readonly ask: (question: Question) => Promise<Choice | undefined>
  /** Undefined where it cannot be found out. */
  readonly reach: (address: string) => Promise<Reach | undefined>
  /** Whether other nodes have servers, too. */
  readonly isInFleet: () => boolean
  /** While it goes on. */
  readonly onProgress?: (what: string, done: number, total: number) => void
}

/** One of the two, as `/allow` takes it. */
export interface DeniedTarget {
  readonly userId?: string | undefined
  readonly address?: string | undefined
}

export interface Outcome {
  readonly isDone: boolean
  readonly text: string
  /** What was denied, and would have to be allowed to undo it. */
  readonly denied?: readonly DeniedTarget[]
}

interface Step {
  readonly target: DeniedTarget
  readonly act: () => Promise<Failure | undefined>
}

/** The monitor's answer when an action needs `force`. */
const CONFLICT = 409
const NOT_FOUND = 404

export class Actions {
  readonly #parts: ActionsParts
  #asked: Promise<unknown> = Promise.resolve()

  constructor (parts: ActionsParts) {
    this.#parts = parts
  }

  /** A user who has left in the meantime counts as disconnected. */
  disconnect (users: readonly User[], { reason }: Choice): Promise<Outcome> {
    const [doing, done] = [USERS.disconnecting(users.length), USERS.disconnected(users.length)]
    return this.#doAll(users, doing, done, async ({ id }) => {
      const answer = await this.#parts.post('/disconnect', {
        userId: id, deny: false, ...optional({ reason })
      })
      return answer.isOk || answer.status === NOT_FOUND ? undefined : answer
    })
  }

  async deny (users: readonly User[], choice: Choice): Promise<Outcome> {
    const { minutes } = choice
    return await this.#denyEach(this.#denySteps(users, choice),
      DENIED.denying(users.length), DENIED.done(users.length, minutes))
  }

  /** Of a range it first says how many it reaches; undefined when it is then cancelled. */
  async denyTarget (choice: Choice): Promise<Outcome | undefined> {
    const { target, minutes } = choice
    const reach = isUuid(target) ? undefined : await this.#parts.reach(target)
    if (reach !== undefined && reach.address.includes('/') && reach.users > 0) {
      const isMeant = await this.#askInTurn(denyReachQuestion(reach, minutes)) !== undefined
      if (!isMeant) return undefined
    }
    return await this.denyKnown(choice)
  }

  /** For one whose reach the operator has been told. */
  denyKnown ({ target, reason, minutes }: Choice): Promise<Outcome> {
    const terms = optional({ reason, minutes })
    const step = isUuid(target)
      ? {
          target: { userId: target },
          act: async () => failureOf(await this.#parts.post('/deny', { userId: target, ...terms }))
        }
      : { target: { address: target }, act: () => this.#denyAddress(target, terms) }
    return this.#denyEach([step], '', DENIED.targetDone(target, minutes))
  }

  allow ({ userId, address }: DeniedTarget): Promise<Outcome> {
    return this.#allowEach([{ userId, address }], DENIED.allowed(userId ?? address ?? ''))
  }

  /** Takes back what has just been denied, and nothing else. */
  undo (denied: readonly DeniedTarget[]): Promise<Outcome> {
    return this.#allowEach(denied, DENIED.undone(denied.length))
  }

  drain (port: string, { reason: note, minutes }: Pick<Choice, 'reason' | 'minutes'>): Promise<Outcome> {
    return this.#doAll([port], '', SERVERS.drained(port), async () => failureOf(await this.#insist(
      `/servers/${port}/drain`, optional({ note, minutes }), drainLastQuestion(port, this.#parts.isInFleet()))))
  }

  /** Of a fleet: all its servers. */
  drainNode (node: string, { reason: note, minutes }: Pick<Choice, 'reason' | 'minutes'>): Promise<Outcome> {
    return this.#doAll([node], '', FLEET.drained(node), async () => failureOf(await this.#insist(
      `/nodes/${node}/drain`, optional({ note, minutes }), drainLastNodeQuestion(node))))
  }

  makeNodeReady (node: string): Promise<Outcome> {
    return this.#doAll([node], '', FLEET.madeReady(node), async () =>
      failureOf(await this.#parts.post(`/nodes/${node}/ready`, {})))
  }

  /** Of an external server. */
  maintain (name: string, { reason: note }: Pick<Choice, 'reason'>): Promise<Outcome> {
    return this.#doAll([name], '', SERVERS.maintained(name), async () => failureOf(await this.#insist(
      `/servers/${name}/drain`, { maintenance: true, ...optional({ note }) },
      maintainLastQuestion(name, this.#parts.isInFleet()))))
  }

  /** Done when it serves again. */
  restart (port: string): Promise<Outcome> {
    return this.#doAll([port], '', SERVERS.restarted(port), async () =>
      failureOf(await this.#insist(
        `/servers/${port}/restart`, {}, restartLastQuestion(port, this.#parts.isInFleet()))))
  }

  makeReady (port: string): Promise<Outcome> {
    return this.#doAll([port], '', SERVERS.madeReady(port), async () =>
      failureOf(await this.#parts.post(`/servers/${port}/ready`, {})))
  }

  /** One that was removed elsewhere counts as removed. */
  async removeServer (name: string): Promise<Outcome> {
    let late: readonly string[] = []
    const outcome = await this.#doAll([name], '', '', async () => {
      const question = removeLastQuestion(name, this.#parts.isInFleet())
      const answer = await this.#insist(`/servers/${name}/remove`, {}, question)
      late = lateOf(answer)
      return answer.isOk || answer.status === NOT_FOUND ? undefined : answer
    })
    return outcome.isDone ? { ...outcome, text: ELSEWHERE.removed(name, late) } : outcome
  }

  /** One that was revoked elsewhere counts as revoked. */
  revokeToken ({ id, name }: TokenEntry): Promise<Outcome> {
    return this.#doAll([id], '', TOKENS.revoked(name), async () => {
      const answer = await this.#parts.post('/tokens/revoke', { id })
      return answer.isOk || answer.status === NOT_FOUND ? undefined : answer
    })
  }

  /** Ids first: a user denied by address only could come back with the same id from elsewhere. */
  #denySteps (users: readonly User[], { reason, minutes, scope }: Choice): Step[] {
    const terms = optional({ reason, minutes })
    const byAddress = {
      ids: [],
      addresses: addressesOf(users),
      ranges: rangesOf(users)
    }[scope]
    // A range covers the address of a user who is known by address alone.
    const byOwn = scope === 'ranges' ? users.filter(({ kind }) => kind === 'id') : users
    return [
      ...byOwn.map(user => ({
        target: user.kind === 'id' ? { userId: user.id } : { address: user.id },
        act: () => this.#denyUser(user, terms)
      })),
      ...byAddress.map(address => ({
        target: { address }, act: () => this.#denyAddress(address, terms)
      }))
    ]
  }

  async #denyEach (steps: readonly Step[], doing: string, done: string): Promise<Outcome> {
    const denied: DeniedTarget[] = []
    const outcome = await this.#doAll(steps, doing, done, async ({ target, act }) => {
      const failure = await act()
      if (failure === undefined) denied.push(target)
      return failure
    })
    return { ...outcome, denied }
  }

  #allowEach (targets: readonly DeniedTarget[], done: string): Promise<Outcome> {
    return this.#doAll(targets, DENIED.allowing(targets.length), done, async target => {
      const answer = await this.#parts.post('/allow', optional(target))
      // Expired, or allowed by somebody else meanwhile.
      return answer.isOk || answer.status === NOT_FOUND ? undefined : answer
    })
  }

  async #doAll<Item> (
    items: readonly Item[], doing: string, done: string,
    act: (item: Item) => Promise<Failure | undefined>
  ): Promise<Outcome> {
    const onDone = (doneCount: number): void => {
      if (doing !== '') this.#parts.onProgress?.(doing, doneCount, items.length)
    }
    const { doneCount, failure } = await withBoundedConcurrency(items, act, onDone)
    if (failure === undefined) return { isDone: true, text: done }
    const why = failure.status === 0 ? FAILURES.unreachable : failure.message
    return { isDone: false, text: FAILURES.partly(doneCount, items.length, why) }
  }

  async #denyUser ({ id, kind }: User, terms: object): Promise<Failure | undefined> {
    if (kind === 'ip') return await this.#denyAddress(id, terms)
    const answer = await this.#parts.post('/disconnect', { userId: id, deny: true, ...terms })
    if (answer.isOk || answer.status !== NOT_FOUND) return failureOf(answer)
    // The user has left in the meantime; the denial stands.
    return failureOf(await this.#parts.post('/deny', { userId: id, ...terms }))
  }

  async #denyAddress (address: string, terms: object): Promise<Failure | undefined> {
    return failureOf(
      await this.#insist('/deny', { address, ...terms }, denyOwnQuestion(address)))
  }

  /** Asks the operator when the monitor refuses without `force`, and then sends it with `force`. */
  async #insist (path: string, body: object, question: Question): Promise<Answer<unknown>> {
    const answer = await this.#parts.post(path, body)
    if (answer.isOk || answer.status !== CONFLICT) return answer
    if (await this.#askInTurn(question) === undefined) return answer
    return await this.#parts.post(path, { ...body, force: true })
  }

  /** There is one dialog. */
  #askInTurn (question: Question): Promise<Choice | undefined> {
    const answer = this.#asked.then(() => this.#parts.ask(question))
    this.#asked = answer
    return answer
  }
}

function failureOf (answer: Answer<unknown>): Failure | undefined {
  return answer.isOk ? undefined : answer
}

/** Without fields that are undefined. */
function optional (
  fields: Readonly<Record<string, string | number | undefined>> | DeniedTarget
): object {
  return Object.fromEntries(Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== ''))
}

function isUuid (text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}
