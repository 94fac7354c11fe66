import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync, constants, existsSync, openSync, readFileSync, renameSync, rmSync, statSync,
  writeFileSync
} from 'node:fs'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { buildSync } from 'esbuild'
import fc from 'fast-check'
import {
  openLog, silentLog, withoutControlCharacters, type ProgramLog
} from '@usher/shared/log.ts'
import { allocateLogLosses } from '@usher/shared/memory/log-losses.ts'
import type { LogChildOrders } from './fixtures/log-child.ts'

/** Built once: a child that compiles TypeScript takes a second to start. */
const CHILD = `${t.testdir()}/log-child.mjs`
buildSync({
  entryPoints: [new URL('fixtures/log-child.ts', import.meta.url).pathname],
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['pino', 'pino-pretty'],
  outfile: CHILD
})

const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029\u2800\p{Default_Ignorable_Code_Point}]/u
/** What a terminal would act on, and what looks like it and is plain text. */
const EVIL = '\u001b[2J\u0000\b\f\n\r\t\u007f\u0085\u009b31m\u2028\u2029'
const PLAIN = String.raw`C:\u001b\new\\u0007 "quoted" \n é 漢 😀 ${'\u00a0'}`

interface Line {
  readonly level: number
  readonly time: string
  readonly pid: number
  readonly thread: string
  readonly msg: string
  readonly text?: string
  readonly err?: { readonly message: string, readonly stack: readonly string[] }
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function startChild (
  changes: Partial<LogChildOrders>, nodeFlags: readonly string[] = []
): ChildProcess {
  const orders: LogChildOrders = {
    thread: 'server 8000',
    level: 'info',
    file: undefined,
    isTerminal: false,
    lines: 3,
    text: '',
    isWaiting: false,
    threads: 1,
    ...changes
  }
  return spawn(process.execPath, [...process.execArgv, ...nodeFlags, CHILD, JSON.stringify(orders)])
}

async function endOf (child: ChildProcess): Promise<Ended> {
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>, text(child.stdout!), text(child.stderr!)
  ])
  return { code, stdout, stderr }
}

function run (changes: Partial<LogChildOrders>, nodeFlags?: readonly string[]): Promise<Ended> {
  return endOf(startChild(changes, nodeFlags))
}

function parseLines (lines: string): Line[] {
  return lines.trimEnd().split('\n').map(line => JSON.parse(line) as Line)
}

/** All texts in a JSON value, keys included. */
function * textsIn (value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    yield key
    yield * textsIn(inner)
  }
}

t.test('log: makes its file and folder, readable for its owner only', async t => {
  const file = `${t.testdir()}/deep/logs/server.log`
  const { code } = await run({ file })
  t.equal(code, 0)
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('log: appends to a file that is there', async t => {
  const file = `${t.testdir({ 'server.log': '' })}/server.log`
  writeFileSync(file, '{"msg":"from before"}\n')
  await run({ file })
  t.same(parseLines(readFileSync(file, 'utf8')).map(({ msg }) => msg), [
    'from before', 'line 0', 'line 1', 'line 2', 'a fault'
  ])
})

t.test('log: without a console the lines are in the file only', async t => {
  const file = `${t.testdir()}/server.log`
  for (const isTerminal of [false, true]) {
    t.match(await run({ file, isTerminal, hasConsole: false }), { code: 0, stdout: '', stderr: '' })
  }
  t.equal(parseLines(readFileSync(file, 'utf8')).length, 8)
})

t.test('log: console and file get the same JSON lines: ISO time, thread, level', async t => {
  const file = `${t.testdir()}/server.log`
  const startedMs = Date.now()
  const { stdout, stderr } = await run({ file, text: PLAIN })
  t.equal(stderr, '')
  t.equal(stdout, readFileSync(file, 'utf8'))
  const lines = parseLines(stdout)
  t.same(lines.map(({ level, msg }) => [level, msg]), [
    [30, 'line 0'], [30, 'line 1'], [30, 'line 2'], [50, 'a fault']
  ])
  for (const { time, thread, pid } of lines) {
    t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    t.ok(Date.parse(time) >= startedMs && Date.parse(time) <= Date.now())
    t.equal(thread, 'server 8000')
    t.ok(pid > 0)
  }
  t.equal(lines[0]!.text, PLAIN)
  t.match(lines[3]!.err, { type: 'Error', message: /^a fault/ })
  t.ok(lines[3]!.err!.stack.some(line => line.includes('log-child')))
})

t.test('log: says what its level admits', async t => {
  const cases: ReadonlyArray<[level: string, messages: readonly string[]]> = [
    ['debug', ['line 0', 'details', 'a fault']],
    ['info', ['line 0', 'a fault']],
    ['error', ['a fault']],
    ['silent', []]
  ]
  for (const [level, messages] of cases) {
    const file = `${t.testdir()}/${level}.log`
    const { stdout } = await run({ level, file, lines: 1 })
    t.same(stdout === '' ? [] : parseLines(stdout).map(({ msg }) => msg), messages, level)
    t.equal(readFileSync(file, 'utf8'), stdout, level)
  }
})

t.test('log: lines that are held come in order, with their own times, before the next warning', async t => {
  const file = `${t.testdir()}/server.log`
  const lines = (): readonly Line[] => existsSync(file) && statSync(file).size > 0 ? parseLines(readFileSync(file, 'utf8')) : []
  const log = openLog({
    thread: 'coordinator', level: 'info', file, isTerminal: false, hasConsole: false, isHeld: true
  })
  const fromMs = Date.now()
  log.info({ text: 'a' }, 'first')
  log.debug('below the level')
  const untilMs = Date.now()
  log.info('second')
  t.strictSame(lines(), [])
  while (Date.now() <= untilMs) await new Promise(resolve => setTimeout(resolve, 1))
  log.warn('third')
  t.strictSame(lines().map(({ msg }) => msg), ['first', 'second', 'third'])
  t.match(lines()[0], { level: 30, thread: 'coordinator', text: 'a' })
  const firstMs = Date.parse(lines()[0]!.time)
  t.ok(firstMs >= fromMs && firstMs <= untilMs)
  t.ok(Date.parse(lines()[2]!.time) > untilMs)
  log.info('fourth')
  t.equal(lines().length, 4, 'nothing is held any more')
})

t.test('log: without a file there is the console alone', async t => {
  const { stdout } = await run({ file: undefined })
  t.equal(parseLines(stdout).length, 4)
})

t.test('log: a file that cannot be opened is an error that names it', async t => {
  const dir = t.testdir({ file: '' })
  for (const file of [`${dir}/file/server.log`, dir]) {
    const options = { thread: 'x', level: 'info', file, isTerminal: false }
    t.throws(() => openLog(options), { message: dir })
  }
})

t.test('log: a file that was moved is followed by a new one, and no line is lost', async t => {
  const dir = t.testdir()
  const file = `${dir}/new/server.log`
  const losses = allocateLogLosses()
  const options = { level: 'info', file, isTerminal: false, hasConsole: false, losses }
  const logs = ['a', 'b'].map(thread => openLog({ ...options, thread }))
  const [one, other] = logs as [ProgramLog, ProgramLog]
  const messages = (path: string): string[] =>
    parseLines(readFileSync(path, 'utf8')).map(({ msg }) => msg)
  one.info('1')
  one.reopenFile()
  one.info('2')
  t.same(messages(file), ['1', '2'], 'one that is where it was stays')
  renameSync(`${dir}/new`, `${dir}/old`)
  one.info('3')
  one.reopenFile()
  one.info('4')
  other.info('5')
  other.reopenFile()
  other.info('6')
  t.same(messages(`${dir}/old/server.log`), ['1', '2', '3', '5'])
  t.same(messages(file), ['4', '6'])
  t.equal(statSync(file).mode & 0o777, 0o600)
  rmSync(`${dir}/new`, { recursive: true })
  writeFileSync(`${dir}/new`, '')
  t.throws(() => { one.reopenFile() }, { message: `${dir}/new` })
  one.info('into what was removed, as before')
  rmSync(`${dir}/new`)
  one.reopenFile()
  one.info('7')
  t.same(messages(file), ['7'])
})

t.test('log: a pipe is not opened again, which would wait for a reader', async t => {
  const file = `${t.testdir()}/pipe`
  execFileSync('mkfifo', [file])
  const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  const log = openLog({ thread: 'x', level: 'info', file, isTerminal: false, hasConsole: false })
  closeSync(reader)
  log.reopenFile()
  rmSync(file)
  log.reopenFile()
  t.notOk(existsSync(file))
})

t.test('log: what a client sends neither reaches the lines nor the terminal raw', async t => {
  const file = `${t.testdir()}/server.log`
  const { stdout: json } = await run({ file, text: EVIL })
  const { stdout: pretty, code } = await run({ isTerminal: true, text: EVIL })
  t.equal(code, 0)
  for (const lines of [json, readFileSync(file, 'utf8')]) {
    t.notMatch(lines.replaceAll('\n', ''), CONTROL)
    for (const line of parseLines(lines)) {
      for (const text of textsIn(line)) t.notMatch(text, CONTROL)
    }
  }
  // Colours are the printer's own; so are its line feeds, of which a line of the log has one.
  // eslint-disable-next-line no-control-regex
  const uncoloured = pretty.replace(/\u001b\[\d+m/g, '')
  t.notMatch(uncoloured.replaceAll('\n', ''), CONTROL)
  t.equal(uncoloured.match(/line \d+ \(server 8000\) \{"text":"\\u001b\[2J.*\n/g)?.length, 3)
  t.match(uncoloured, /a fault \(server 8000\) *\n {4}err: \{/)
  t.match(uncoloured, /\n +" {4}at .*log-child/)
})

const textsOf = (lines: readonly Line[]): string[] => lines.map(({ msg }) => msg)

t.test('log: a full disk loses the file\'s lines, and the console has them and says so once', {
  skip: !existsSync('/dev/full') && 'no /dev/full on this system'
}, async t => {
  const { code, stdout, stderr } = await run({ file: '/dev/full', lines: 200 })
  t.equal(stderr, '')
  t.equal(code, 0)
  const messages = textsOf(parseLines(stdout))
  t.equal(messages.length, 202)
  t.same(messages.filter(msg => /lost/.test(msg)), ['log lines are lost: LOG_FILE cannot be written'])
})

t.test('log: all threads of a program say once that lines are lost', {
  skip: !existsSync('/dev/full') && 'no /dev/full on this system'
}, async t => {
  const { stdout } = await run({ file: '/dev/full', threads: 3 })
  t.equal(textsOf(parseLines(stdout)).filter(msg => /lost/.test(msg)).length, 1)
})

t.test('log: what a full disk did not take is not kept in memory', {
  skip: !existsSync('/dev/full') && 'no /dev/full on this system'
}, async t => {
  const flags = ['--max-old-space-size=40']
  const { code, stderr } = await run({
    file: '/dev/full', lines: 60_000, text: 'x'.repeat(1000), isTerminal: false
  }, flags)
  t.equal(code, 0, stderr.slice(-500))
})

t.test('log: a closed console loses its lines, and the file has them and says so once', async t => {
  for (const isTerminal of [false, true]) {
    const file = `${t.testdir()}/server.log`
    const child = startChild({ file, isTerminal, isWaiting: true, lines: 200 })
    const stderr: string[] = []
    child.stderr!.on('data', chunk => stderr.push(String(chunk)))
    const closed = once(child, 'close') as Promise<[number | null]>
    await once(child.stderr!, 'data')
    child.stdout!.destroy()
    child.stdin!.end('go\n')
    t.same(await closed, [0, null], `terminal: ${isTerminal}`)
    t.equal(stderr.join(''), 'ready\n')
    const messages = textsOf(parseLines(readFileSync(file, 'utf8')))
    t.equal(messages.length, 202)
    t.same(messages.filter(msg => /lost/.test(msg)), ['log lines are lost: the console cannot be written'])
  }
})

t.test('log: the silent one says nothing', async t => {
  const log = silentLog()
  t.equal(log.isLevelEnabled('fatal'), false)
  t.equal(log.level, 'silent')
})

t.test('log: control characters become visible text, all else stays', async t => {
  const cases: ReadonlyArray<[given: string, expected: string]> = [
    ['', ''],
    ['a', 'a'],
    [PLAIN, PLAIN],
    ['\u001b[2J', String.raw`\u001b[2J`],
    ['a\nb', String.raw`a\nb`],
    ['\b\f\n\r\t', String.raw`\b\f\n\r\t`],
    ['\u0000\u001f\u007f\u0080\u009f', String.raw`\u0000\u001f\u007f\u0080\u009f`],
    ['\u2028\u2029', String.raw`\u2028\u2029`],
    ['\u00a0\u2027\u2030', '\u00a0\u2027\u2030'],
    ['\u202a\u{e0041}', String.raw`\u202a\u{e0041}`],
    [String.raw`\u001b`, String.raw`\u001b`],
    [String.raw`\\u001b`, String.raw`\\u001b`],
    ['\\\u001b', String.raw`\\u001b`],
    ['\\\n', String.raw`\\n`],
    ['"\u0007"', String.raw`"\u0007"`]
  ]
  for (const [given, expected] of cases) {
    const line = withoutControlCharacters(`${JSON.stringify({ [given]: given })}\n`)
    t.ok(line.endsWith('}\n'))
    t.same(JSON.parse(line), { [expected]: expected })
  }
})

t.test('log: no text brings a control character through, raw or restored', async t => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom('\\', 'u001b', '\u001b', '\n', 'n', '"', '\u009b', '\u2028', '\\u', '007f')
  )
  const given = fc.array(piece, { maxLength: 8 }).map(pieces => pieces.join(''))
  fc.assert(fc.property(given, given, (key, text) => {
    const value = { [key]: [text] }
    const line = withoutControlCharacters(JSON.stringify(value))
    const restored: unknown = JSON.parse(line)
    const isSafe = [line, ...textsIn(restored)].every(text => !CONTROL.test(text))
    const isSame = JSON.stringify(restored) === JSON.stringify(value)
    return isSafe && (isSame || CONTROL.test(key + text))
  }), { numRuns: 5000 })
})
