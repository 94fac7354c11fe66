/**
 * The users of all nodes as one list: each node is asked, and whoever does not answer in half a
 * second is missing, and said to be. No node has a directory of them all. Runs in the monitor's
 * thread.
 */
import type { NodesAnswered, User, Users, UsersSort } from '@usher/shared/api/users.ts'
import type { NodeAsks } from './node-asks.ts'
import { pageShares, type Share } from './page-shares.ts'

/** What is asked of one node's users. */
export interface NodeSearch {
  /** By its name there. */
  readonly server: string | undefined
  readonly q: string | undefined
  readonly sort: UsersSort
  readonly cursor: string | undefined
  readonly offset: number | undefined
  readonly limit: number
}

/** As it goes to all nodes, each of which takes what is for it. */
export interface UsersAsk extends NodeSearch {
  /** Where each node's rows of the page begin, and how many they are. */
  readonly shares?: Readonly<Record<string, Share>>
  /** The node by whose cursor the page begins; of those before it the number alone is asked for. */
  readonly from?: string
  /** The number of users alone is asked for. */
  readonly isCount?: boolean
}

export interface FleetUsersParts {
  readonly node: string
  readonly asks: NodeAsks
  /** Those of this node. */
  readonly own: (search: NodeSearch) => Promise<Users>
}

export const USERS_ASK = 'users'
/** How long answers are waited for. */
export const ANSWER_MS = 500
/** So far down the rows of all nodes are merged by what they are sorted by. */
export const MERGED_DEPTH_MAX = 500
/** A cursor of a sorted list: how many rows come before. */
const OFFSET_CURSOR = /^\+(\d{1,7})$/
/** Of one that is not: the node whose users come next, and its own cursor. */
const NODE_CURSOR = /^([^:]+):(.*)$/
const NOBODY: Users = { users: [], matched: 0, next_cursor: null }
/** Of a node whose users begin on the next page. */
const BEGINNING: Users = { ...NOBODY, next_cursor: '' }

/** By node, in the order of their names. */
type Pages = ReadonlyMap<string, Users>

interface Asked {
  readonly pages: Pages
  readonly matched: number
  readonly nodes: NodesAnswered
}

export class FleetUsers {
  readonly #parts: FleetUsersParts

  constructor (parts: FleetUsersParts) {
    this.#parts = parts
  }

  /** @param node only those of this one; all if undefined */
  async find (node: string | undefined, search: NodeSearch): Promise<Users> {
    if (node !== undefined) return await this.#findAt(node, search)
    const { cursor = '', offset = OFFSET_CURSOR.exec(cursor)?.[1] } = search
    if (offset === undefined && search.sort === 'place') return await this.#walk(search)
    return await this.#page({ ...search, cursor: undefined }, Number(offset ?? 0))
  }

  /** What this node answers to another one. */
  async answer ({ shares, from, isCount = false, ...search }: UsersAsk): Promise<Users> {
    const { node, own } = this.#parts
    if (isCount || (from !== undefined && node < from)) {
      return { ...await own({ ...search, cursor: undefined, limit: 1 }), users: [] }
    }
    if (from !== undefined && node > from) return await own({ ...search, cursor: undefined })
    if (shares === undefined) return await own(search)
    const share = Object.hasOwn(shares, node) ? shares[node]! : { offset: 0, limit: 0 }
    return share.limit === 0 ? NOBODY : await own({ ...search, ...share })
  }

  async #findAt (node: string, search: NodeSearch): Promise<Users> {
    const { node: own, asks } = this.#parts
    const page = node === own
      ? await this.#parts.own(search)
      : await asks.askOne<Users>(node, USERS_ASK, search satisfies UsersAsk, ANSWER_MS)
    return {
      ...page ?? NOBODY,
      users: markedWith(node, page?.users ?? []),
      nodes: nodesAnswered(1, page === undefined ? [node] : [])
    }
  }

  /** One node's users after another's, each by the cursor of its node: nobody is listed twice. */
  async #walk (search: NodeSearch): Promise<Users> {
    const [, from = '', given = ''] = NODE_CURSOR.exec(search.cursor ?? '') ?? []
    const cursor = given === '' ? undefined : given
    const { pages, matched, nodes } = await this.#ask({ ...search, cursor, from })
    const users: User[] = []
    const names = [...pages.keys()].filter(name => name >= from)
    let next: string | null = null
    for (const name of names) {
      const room = search.limit - users.length
      // Its own cursor behind the last that there is room for is known to itself alone.
      const page = pages.get(name)!.users.length <= room
        ? pages.get(name)!
        : room === 0
          ? BEGINNING
          : await this.#findAt(name, { ...search, limit: room, cursor: undefined })
      users.push(...markedWith(name, page.users))
      if (page.next_cursor !== null) next = `${name}:${page.next_cursor}`
      if (next !== null) break
    }
    return { users, matched, next_cursor: next, nodes }
  }

  async #page (search: NodeSearch, offset: number): Promise<Users> {
    const { sort, limit } = search
    const end = offset + limit
    const isMerged = sort !== 'place' && end <= MERGED_DEPTH_MAX
    const asked = isMerged
      ? await this.#ask({ ...search, offset: 0, limit: end })
      : await this.#askShares(search, offset)
    const users = [...asked.pages].flatMap(([name, page]) => markedWith(name, page.users))
    return {
      users: isMerged ? newestFirst(users, sort).slice(offset, end) : newestFirst(users, sort),
      matched: asked.matched,
      next_cursor: end < asked.matched ? `+${end}` : null,
      nodes: asked.nodes
    }
  }

  /** First how many each has, then its part of the page. */
  async #askShares (search: NodeSearch, offset: number): Promise<Asked> {
    const counted = await this.#countAll(search)
    const names = [...counted.pages.keys()]
    const counts = [...counted.pages.values()].map(({ matched }) => matched)
    const shares = pageShares(counts, offset, search.limit)
    const { pages, nodes } = await this.#ask(
      { ...search, shares: Object.fromEntries(names.map((name, at) => [name, shares[at]!])) })
    return { pages, matched: counted.matched, nodes }
  }

  #countAll (search: NodeSearch): Promise<Asked> {
    return this.#ask({ ...search, cursor: undefined, offset: undefined, limit: 1, isCount: true })
  }

  async #ask (ask: UsersAsk): Promise<Asked> {
    const { node, asks } = this.#parts
    const [own, { answers, missing }] = await Promise.all([
      this.answer(ask), asks.ask<Users>(USERS_ASK, ask, ANSWER_MS)
    ])
    const pages = new Map([[node, own] as const, ...answers]
      .sort(([one], [other]) => one < other ? -1 : 1))
    return {
      pages,
      matched: [...pages.values()].reduce((sum, page) => sum + page.matched, 0),
      nodes: nodesAnswered(pages.size + missing.length, missing)
    }
  }
}

export function nodesAnswered (asked: number, missing: readonly string[]): NodesAnswered {
  return { asked, answered: asked - missing.length, missing }
}

function markedWith (node: string, users: readonly User[]): User[] {
  return users.map(user => ({ ...user, node }))
}

/** Times are texts of one length, so that they are in order as texts. */
function newestFirst (users: readonly User[], sort: UsersSort): readonly User[] {
  if (sort === 'place') return users
  return users.toSorted((one, other) =>
    one[sort] === other[sort] ? 0 : one[sort] > other[sort] ? -1 : 1)
}
