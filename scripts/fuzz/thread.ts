/**
 * The fuzzer's thread for what is tried without a program: settings and the account command. Gets
 * inputs one by one and says of each what was wrong, so that the caller knows which one hangs.
 */
import { rmSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { makeAccountsFolder, wrongAccount } from './account-target.ts'
import type { ThreadInput } from './inputs.ts'
import { wrongSettings } from './settings-target.ts'
import { PROGRAM_DIR } from '../kit/places.ts'

/** The database is made anew after so many, or it would fill up with accounts. */
const FOLDER_INPUTS_MAX = 500

let folder = makeAccountsFolder()
let inputCount = 0
process.once('exit', () => { rmSync(folder, { recursive: true, force: true }) })

parentPort!.on('message', (input: ThreadInput) => {
  void tryOut(input).then(wrongs => { parentPort!.postMessage(wrongs) })
})

async function tryOut (input: ThreadInput): Promise<string[]> {
  if (++inputCount % FOLDER_INPUTS_MAX === 0) {
    rmSync(folder, { recursive: true })
    folder = makeAccountsFolder()
  }
  try {
    return input.to === 'settings'
      ? wrongSettings(input, folder, PROGRAM_DIR)
      : await wrongAccount(input, folder, PROGRAM_DIR)
  } catch (error) {
    return [`threw ${(error as Error).stack}`]
  }
}
