/** The operators of a fuzzed program: accounts, sessions, and who takes what ends one. */
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runAccountCommand } from '@usher/workers/account-command/account-command.ts'
import { Operator } from '../kit/operator.ts'
import { PROGRAM_DIR } from '../kit/places.ts'
import type { Program } from '../kit/program.ts'

export const PASSWORD = 'a password that no input has'
export type Role = 'viewer' | 'administrator'
export const PERMISSIONS: ReadonlyArray<readonly [Role, number]> = [['viewer', 0], ['administrator', 1]]

/**
 * Two of one permission, under names that no input has. What ends a session, or counts as an
 * attempt to log in, is done by the one that nothing else needs.
 */
export interface Seats {
  readonly stayer: Seat
  readonly leaver: Seat
}

interface Seat {
  readonly name: string
  readonly operator: Operator
}

export async function takeSeats (program: Program): Promise<ReadonlyMap<Role, Seats>> {
  const seats = new Map<Role, Seats>()
  for (const [role, permission] of PERMISSIONS) {
    seats.set(role, {
      stayer: await newSeat(program, `fuzz staying ${role}`, permission),
      leaver: await newSeat(program, `fuzz leaving ${role}`, permission)
    })
  }
  return seats
}

/** Made beside the running program, by the account command. */
async function newSeat (
  program: Program, name: string, permission: number
): Promise<Seat> {
  const complained = new PassThrough()
  const argv = ['add', name, '--permission', String(permission)]
  const env = { HTML_DIRS: 'site', LOG_FILE: '-' }
  const source = { argv, env, cwd: program.folder, programDir: PROGRAM_DIR }
  const code = await runAccountCommand(source, {
    stdin: Readable.from([`${PASSWORD}\n`]), stdout: new PassThrough(), stderr: complained
  })
  if (code !== 0) throw new Error(`no account ${name}: ${await text(complained.end())}`)
  // A connection that is kept would count among the program's descriptors.
  const options = { isKeptAlive: false }
  return { name, operator: await Operator.loggedIn(program, name, PASSWORD, options) }
}

/** An input may have ended the session. */
export async function stayLoggedIn ({ name, operator }: Seat): Promise<void> {
  const { status } = await operator.get('/user-info')
  if (status !== 401) return
  const login = await operator.logIn(name, PASSWORD)
  if (login.status !== 200) throw new Error(`${name} cannot log in: ${login.status}`)
}
