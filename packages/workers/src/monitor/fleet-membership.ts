/**
 * The monitor's part in a fleet: opens its connections to the engine, and brings into force what
 * other nodes have denied and drained. Without a fleet it forgets that there was one. Runs in the
 * monitor's thread.
 */
import { randomBytes } from 'node:crypto'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { openEngine, type Engine } from '@usher/shared/fleet/engine.ts'
import { parseEngineUrl } from '@usher/shared/fleet/engine-url.ts'
import { keyPrefix } from '@usher/shared/fleet/usher-library.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import type { Logger } from 'pino'
import type { UsherDatabase } from '../database/usher-database.ts'
import { MessageSeal } from '../fleet/ask-message.ts'
import { FleetAsks } from '../fleet/fleet-asks.ts'
import { FleetNews } from '../fleet/fleet-news.ts'
import { FleetSeal } from '../fleet/fleet-seal.ts'
import { EngineMailboxes } from '../fleet/mailboxes.ts'
import { NewsBook } from '../fleet/news-book.ts'
import { NewsSeal } from '../fleet/news-entry.ts'
import { EngineStream } from '../fleet/news-stream.ts'
import { NodeCards } from '../fleet/node-cards.ts'
import type { FleetReach } from './fleet-console.ts'
import type { Stores } from './stores.ts'

export interface MembershipParts {
  readonly settings: FleetSettings
  readonly database: UsherDatabase
  readonly stores: Pick<Stores, 'steadyNow' | 'inTurn'>
  /** The threads get the deny list as it is stored. */
  readonly setDenyList: () => Promise<unknown>
  /** And the drains. */
  readonly setDrains: () => Promise<unknown>
  readonly log: Logger
}

export type FleetSettings = Pick<Settings, 'sessionIdleTimeoutMs' | 'sessionLifetimeMs' |
  'clusterUrl' | 'clusterName' | 'clusterSecret' | 'nodeName'>

/** A start waits for the others' news so long: no port is open before it is known who is denied. */
const START_WAIT_MS = 1000
const ID_BYTES = 8
const MS_PER_SECOND = 1000

export interface Membership {
  /** Undefined where the program is alone. */
  readonly fleet: FleetReach | undefined
  close (): Promise<void>
}

/** Resolves when what the others know is known here, too, or that takes too long. */
export async function joinFleet (parts: MembershipParts): Promise<Membership> {
  const { settings, database, stores, log } = parts
  const { clusterUrl, clusterName: cluster, nodeName: name, clusterSecret } = settings
  if (clusterUrl === '') {
    await leave(database)
    return { fleet: undefined, close: async () => {} }
  }
  const book = new NewsBook({
    ...settings, name, cluster, randomId, steadyNow: stores.steadyNow, wallNow: Date.now, log
  })
  const prefix = keyPrefix(cluster)
  const engine = open(clusterUrl, 'usher-news')
  const news = new FleetNews({
    database,
    book,
    seal: new NewsSeal(clusterSecret, cluster),
    stream: new EngineStream({
      engine,
      reading: open(clusterUrl, 'usher-news-reading'),
      prefix,
      wallNow: Date.now,
      randomId
    }),
    onHeard: kinds => bringIntoForce(kinds, parts),
    log
  })
  const cards = new NodeCards({
    node: name,
    engine,
    prefix,
    seal: new FleetSeal(clusterSecret, cluster, 'card'),
    now: monotonicNowMs,
    startedMs: monotonicNowMs() - process.uptime() * MS_PER_SECOND
  })
  const asks = new FleetAsks({
    node: name,
    seal: new MessageSeal(clusterSecret, cluster),
    mailboxes: new EngineMailboxes({
      engine, reading: open(clusterUrl, 'usher-asks'), prefix, node: name
    }),
    cards,
    randomId,
    log
  })
  await news.start(START_WAIT_MS)
  cards.start()
  asks.start()
  return {
    fleet: { node: name, asks, cards },
    async close () {
      cards.close()
      await asks.close()
      await news.close() // And the connection of all three.
    }
  }
}

function open (url: string, name: string): Engine {
  const parsed = parseEngineUrl(url)
  if (parsed.refusal !== undefined) throw new Error(parsed.refusal) // The settings have checked it.
  return openEngine({ address: parsed.value, name })
}

/** What changes from now on is told to nobody; a node that joins again tells all that it has. */
async function leave (database: UsherDatabase): Promise<void> {
  if (await database.read(sql => sql.fleet().node === '')) return
  await database.write(sql => { sql.leaveFleet() })
}

/** As if it had been done here: those who are denied leave, and drained servers take nobody. */
async function bringIntoForce (
  kinds: ReadonlySet<string>, { stores, setDenyList, setDrains }: MembershipParts
): Promise<void> {
  await stores.inTurn(async () => {
    if (kinds.has('denial')) await setDenyList()
    if (kinds.has('drain')) await setDrains()
  })
}

function randomId (): string {
  return randomBytes(ID_BYTES).toString('hex')
}
