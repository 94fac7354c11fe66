/** `npm run account`: gives the command the terminal, or standard input. */
import { createInterface } from 'node:readline'
import { runAccountCommand } from '@usher/workers/accounts/account-command.ts'

const LINE_LENGTH_MAX = 4096

process.exitCode = await runAccountCommand({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  programDir: import.meta.dirname,
  askPassword: () => process.stdin.isTTY ? askTwice() : firstLine(),
  out: text => { process.stdout.write(text) },
  complain: text => { process.stderr.write(text) }
})

/** Without showing it, and twice, because nobody sees what they type. */
async function askTwice (): Promise<string> {
  const { read } = await import('read')
  const ask = (prompt: string): Promise<string> =>
    read({ prompt, silent: true, output: process.stderr }).then(String)
  const password = await ask('New password: ')
  if (await ask('The same again: ') === password) return password
  throw new Error('The two passwords differ. Nothing was changed.')
}

async function firstLine (): Promise<string> {
  const lines = createInterface(process.stdin)[Symbol.asyncIterator]()
  const first = await lines.next()
  process.stdin.destroy()
  if (first.done !== true && first.value.length <= LINE_LENGTH_MAX) return first.value
  throw new Error('Standard input has no line with a password.')
}
