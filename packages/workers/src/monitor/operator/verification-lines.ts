/**
 * The lines before the one thread that verifies passwords: one for those who have a session, one
 * for those who logged in to this account from this network lately, one for all others. The thread
 * takes from each line in turn, so that no flood of strangers holds up the owner. Runs in the
 * monitor's thread.
 */
import type { Address } from '@usher/shared/client.ts'
import { CredentialsBusy } from '@usher/shared/errors.ts'
import { networkKey, widthsOf } from '@usher/shared/networks.ts'
import { FairQueue, QueueFull, type Bound } from '../access/fair-queue.ts'
import { originKey } from '../access/login-throttle.ts'

/** Origins of logins that are remembered; beyond it the one used longest ago is forgotten. */
export const FAMILIAR_MAX = 10_000
/** One at the thread at a time: its own queue, first come, first served, takes them by turns. */
const ALL: Bound = { running: 1, waiting: 32 }
/** Some third of a second's work. */
const PER_ADDRESS: Bound = { running: 1, waiting: 16 }
const WAIT_MS_MAX = 20_000
/** The networks around an address, the widest first; see networks.ts. */
const RANKS = 3

export interface Attempt {
  readonly address: Address
  readonly username: string
}

export class VerificationLines {
  /** By account, then by address. */
  readonly #withSession = line([PER_ADDRESS, PER_ADDRESS])
  readonly #familiar = line([PER_ADDRESS, PER_ADDRESS])
  readonly #strangers = line([...Array<undefined>(RANKS - 1), PER_ADDRESS])
  /** Those used last are last. */
  readonly #familiarOrigins = new Set<string>()

  /** For whoever has a session of this account. Rejects with CredentialsBusy, as `logIn` does. */
  async withSession<T> ({ address, username }: Attempt, work: () => Promise<T>): Promise<T> {
    return await inLine(this.#withSession, [username, networkKey(address)], work)
  }

  async logIn<T> ({ address, username }: Attempt, work: () => Promise<T>): Promise<T> {
    const origin = originKey(address, username)
    return this.#familiarOrigins.has(origin)
      ? await inLine(this.#familiar, [origin, networkKey(address)], work)
      : await inLine(this.#strangers, networksAround(address), work)
  }

  /** A login with the right password. */
  remember ({ address, username }: Attempt): void {
    const origin = originKey(address, username)
    this.#familiarOrigins.delete(origin)
    this.#familiarOrigins.add(origin)
    if (this.#familiarOrigins.size <= FAMILIAR_MAX) return
    const [oldest] = this.#familiarOrigins
    this.#familiarOrigins.delete(oldest!)
  }
}

function line (perOwner: ReadonlyArray<Bound | undefined>): FairQueue {
  return new FairQueue({ all: ALL, perOwner, waitMsMax: WAIT_MS_MAX })
}

/** The account is no owner here: whoever names it need not be its own. */
function networksAround (address: Address): string[] {
  const widest = widthsOf(address) - 1
  return Array.from({ length: RANKS }, (_, rank) =>
    networkKey(address, Math.min(widest, RANKS - 1 - rank)))
}

async function inLine<T> (
  queue: FairQueue, owners: readonly string[], work: () => Promise<T>
): Promise<T> {
  const place = queue.enter(owners)
  try {
    await place.turn
    return await work()
  } catch (error) {
    throw error instanceof QueueFull ? new CredentialsBusy() : error
  } finally {
    place.leave()
  }
}
