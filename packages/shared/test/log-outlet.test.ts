import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import t from 'tap'
import { LogOutlet } from '@usher/shared/log-outlet.ts'
import { allocateLogLosses, LogLosses } from '@usher/shared/memory/log-losses.ts'

interface Said {
  readonly losses: string[]
  readonly ends: number[]
}

function testOutlet (
  fd: number, losses = new LogLosses(allocateLogLosses(), 'file'), busyMsMax = 1
): Said & { readonly outlet: LogOutlet, readonly losses: string[] } {
  const said: Said = { losses: [], ends: [] }
  const outlet = new LogOutlet({
    fd,
    losses,
    busyMsMax,
    onLoss: ({ message }) => { said.losses.push(message) },
    onOver: lostLines => { said.ends.push(lostLines) }
  })
  return { ...said, outlet }
}

t.test('log outlet: lines are appended as they are', async t => {
  const file = `${t.testdir()}/log`
  const fd = openSync(file, 'a')
  const { outlet, losses, ends } = testOutlet(fd)
  outlet.write('one\n')
  outlet.write(`${'é'.repeat(100_000)}\n`)
  closeSync(fd)
  t.equal(readFileSync(file, 'utf8'), `one\n${'é'.repeat(100_000)}\n`)
  t.same([losses, ends], [[], []])
})

t.test('log outlet: a loss is said once, and its end with how many were lost', {
  skip: !existsSync('/dev/full') && 'no /dev/full on this system'
}, async t => {
  const file = `${t.testdir()}/log`
  const losses = new LogLosses(allocateLogLosses(), 'file')
  const full = testOutlet(openSync('/dev/full', 'a'), losses)
  const free = testOutlet(openSync(file, 'a'), losses)
  for (let line = 0; line < 3; line++) full.outlet.write('lost\n')
  t.match(full.losses, [/ENOSPC/])
  for (let line = 0; line < 3; line++) free.outlet.write('kept\n')
  t.same([full.losses.length, full.ends, free.ends], [1, [], [3]])
  full.outlet.write('lost\n')
  t.equal(full.losses.length, 2, 'the next time it is news again')
})

t.test('log outlet: a reader who is a moment behind gets everything', async t => {
  const dir = t.testdir()
  execFileSync('mkfifo', [`${dir}/pipe`])
  const reader = spawn('sh', ['-c', 'cat pipe >read'], { cwd: dir })
  const fd = openSync(`${dir}/pipe`, 'w') // Waits for the reader, which opening the other does not.
  const nonBlocking = openSync(`${dir}/pipe`, constants.O_WRONLY | constants.O_NONBLOCK)
  const { outlet, losses } = testOutlet(nonBlocking, undefined, 60_000)
  const line = `${'x'.repeat(40_000)}\n`
  for (let count = 0; count < 100; count++) outlet.write(line)
  for (const end of [fd, nonBlocking]) closeSync(end)
  await once(reader, 'close')
  t.ok(readFileSync(`${dir}/read`, 'utf8') === line.repeat(100))
  t.same(losses, [])
})

t.test('log outlet: what follows a torn line is a line of its own', async t => {
  // A pipe that does not block takes a part of what is too long for it, as a full disk may.
  const pipe = `${t.testdir()}/pipe`
  execFileSync('mkfifo', [pipe])
  const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
  t.teardown(() => closeSync(fd))
  const buffer = Buffer.alloc(1_000_000)
  const taken = (): string => buffer.toString('latin1', 0, readSync(fd, buffer))
  const { outlet, losses, ends } = testOutlet(fd)
  outlet.write('whole\n')
  outlet.write(`${'x'.repeat(buffer.length)}\n`)
  t.match(losses, [/EAGAIN/])
  t.match(taken(), /^whole\nx+$/)
  outlet.write('one\n')
  outlet.write('two\n')
  t.equal(taken(), '\none\ntwo\n')
  t.same(ends, [1])
})
