import t from 'tap'
import { readLimit, SPARE_DESCRIPTORS } from '@usher/shared/descriptors.ts'
import { watchDescriptors } from '../src/descriptor-watch.ts'

function testWatch () {
  const lines: string[] = []
  const state = { nowMs: 0, code: '', lowestFree: 20 }
  let look = (): void => {}
  let isEnded = false
  const end = watchDescriptors({
    log: {
      error: (_fields: object, message: string) => { lines.push(`error ${message}`) },
      info: (message: string) => { lines.push(`info ${message}`) }
    } as never,
    probe: () => {
      if (state.code !== '') throw Object.assign(new Error('no luck'), { code: state.code })
      return state.lowestFree
    },
    startInterval: (_ms, work) => {
      look = work
      return () => { isEnded = true }
    },
    now: () => state.nowMs
  })
  const pass = (seconds: number, code: string): void => {
    state.code = code
    for (let second = 0; second < seconds; second++) {
      state.nowMs += 1000
      look()
    }
  }
  return { lines, state, pass, end, isEnded: () => isEnded }
}

t.test('descriptor watch: says once that there are none, and once that it is over', async t => {
  const { lines, pass } = testWatch()
  pass(5, '')
  t.same(lines, [])
  pass(5, 'EMFILE')
  t.match(lines, [/^error no file descriptors are left/])
  pass(9, '')
  pass(1, 'ENFILE')
  pass(9, '')
  t.equal(lines.length, 1, 'a flood leaves one free now and then')
  pass(1, '')
  t.match(lines, [/^error/, /^info resolved: no file descriptors/])
  pass(1, 'EMFILE')
  t.equal(lines.length, 3)
})

t.test('descriptor watch: those that no connection may keep are none', async t => {
  const { lines, state, pass } = testWatch()
  state.lowestFree = readLimit() - SPARE_DESCRIPTORS - 1
  pass(1, '')
  t.same(lines, [])
  state.lowestFree++
  pass(1, '')
  t.match(lines, [/^error no file descriptors are left/])
})

t.test('descriptor watch: any other trouble is not its own', async t => {
  const { lines, pass } = testWatch()
  pass(3, 'EACCES')
  t.same(lines, [])
})

t.test('descriptor watch: ends, and looks at the system where nothing else is given', async t => {
  const { end, isEnded } = testWatch()
  end()
  t.ok(isEnded())
  const lines: unknown[] = []
  const log = { error: (line: unknown) => lines.push(line), info: () => {} }
  let look = (): void => {}
  watchDescriptors({
    log,
    startInterval: (_ms, work) => {
      look = work
      return () => {}
    }
  })()
  look()
  t.same(lines, [])
})
