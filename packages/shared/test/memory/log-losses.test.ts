import t from 'tap'
import { allocateLogLosses, LogLosses } from '@usher/shared/memory/log-losses.ts'

t.test('log losses: the first one is told to one thread, and the end to one', async t => {
  const memory = allocateLogLosses()
  const [one, other] = [new LogLosses(memory, 'file'), new LogLosses(memory, 'file')]
  t.equal(one.written(), 0)
  t.same([one.lose(), other.lose(), one.lose()], [true, false, false])
  t.same([other.written(), one.written()], [3, 0])
  t.same([other.lose(), one.written(), other.written()], [true, 1, 0])
})

t.test('log losses: the console and the file have their own', async t => {
  const memory = allocateLogLosses()
  const [file, console] = [new LogLosses(memory, 'file'), new LogLosses(memory, 'console')]
  t.ok(file.lose())
  t.ok(console.lose())
  console.isTorn = true
  t.same([file.isTorn, console.isTorn], [false, true])
  t.equal(console.written(), 1)
  t.equal(file.written(), 1)
})

t.test('log losses: a torn line is known to all threads', async t => {
  const memory = allocateLogLosses()
  const [one, other] = [new LogLosses(memory, 'file'), new LogLosses(memory, 'file')]
  one.isTorn = true
  t.ok(other.isTorn)
  other.isTorn = false
  t.notOk(one.isTorn)
})
