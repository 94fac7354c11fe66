import t from 'tap'
import { SERVERS_MAX } from '@usher/shared/memory/layout.ts'
import { presentServers, type ExternalServer, type Slot } from '@usher/shared/settings/servers.ts'
import { testExternal, testServers } from '../../shared/test/settings/test-servers.ts'
import { arrange, ownAsSaid } from '../src/server-slots.ts'

const OWN = testServers([8000, 8001], [{ name: 'red' }, { name: 'blue' }])
const NOBODY = (): boolean => false

function shown (slots: readonly Slot[]): string[] {
  return slots.map(({ kind, name }) => kind === 'removed' ? `(${name})` : name)
}

/** One step after another, each with these names. */
function steps (
  lists: ReadonlyArray<readonly string[]>, isReferred: (server: number) => boolean = NOBODY
): string[][] {
  let slots: readonly Slot[] = OWN
  return lists.map(names => {
    slots = arrange(slots, { own: OWN, external: testExternal(7, names) }, isReferred).slots
    slots.forEach((slot, at) => { if (slot.index !== at) throw new Error(`${slot.index} at ${at}`) })
    return shown(slots)
  })
}

t.test('server slots: each keeps its index, whatever comes and goes beside it', async t => {
  t.strictSame(steps([['a', 'b'], ['b'], ['b', 'c'], ['c', 'd', 'b']]), [
    ['red', 'blue', 'a', 'b'],
    ['red', 'blue', '(a)', 'b'],
    ['red', 'blue', 'c', 'b'],
    ['red', 'blue', 'c', 'b', 'd']
  ])
})

t.test('server slots: servers stand in the order in which they are named now', async t => {
  let slots: readonly Slot[] = OWN
  const order = (...names: string[]): string[] => {
    slots = arrange(slots, { own: OWN, external: testExternal(7, names) }, NOBODY).slots
    return presentServers(slots).map(({ name }) => name)
  }
  t.strictSame(order('a', 'b'), ['red', 'blue', 'a', 'b'])
  t.strictSame(order('b', 'a'), ['red', 'blue', 'b', 'a'])
  t.strictSame(order('b', 'z'), ['red', 'blue', 'b', 'z'])
  t.strictSame(order('z', 'b', 'y'), ['red', 'blue', 'z', 'b', 'y'], 'whoever has an index of before')
})

t.test('server slots: an index is free when nobody refers to it, and no step earlier', async t => {
  const held = new Set([2])
  t.strictSame(steps([['a'], [], ['b'], ['b', 'c']], server => held.has(server)), [
    ['red', 'blue', 'a'], ['red', 'blue', '(a)'], ['red', 'blue', '(a)', 'b'],
    ['red', 'blue', '(a)', 'b', 'c']
  ])
  t.strictSame(steps([['a'], ['b'], ['b', 'c']]), [
    ['red', 'blue', 'a'], ['red', 'blue', '(a)', 'b'], ['red', 'blue', 'c', 'b']
  ], 'of one that goes in this step somebody may be on the way there')
})

t.test('server slots: one of the same name gets its index back, with its people', async t => {
  t.strictSame(steps([['a', 'b'], [], ['b'], ['c', 'a', 'b']], () => true), [
    ['red', 'blue', 'a', 'b'], ['red', 'blue', '(a)', '(b)'], ['red', 'blue', '(a)', 'b'],
    ['red', 'blue', 'a', 'b', 'c']
  ])
})

t.test('server slots: the first of a name counts, and our own before all', async t => {
  const settings = testExternal(0, ['a'], [{ publicUrl: 'https://of-settings.example' }])
  const console = testExternal(0, ['a', 'red', '8001', 'b'])
  const { slots, leftOut } = arrange(OWN, { own: OWN, external: [...settings, ...console] }, NOBODY)
  t.strictSame(shown(slots), ['red', 'blue', 'a', 'b'])
  t.match(slots[2], { publicUrl: 'https://of-settings.example' })
  t.strictSame(leftOut, ['a', 'red', '8001'])
})

t.test('server slots: as many as there is room for, and the rest is named', async t => {
  const many = testExternal(2, Array.from({ length: SERVERS_MAX }, (_, at) => `s${at}`))
  const full = arrange(OWN, { own: OWN, external: many }, NOBODY)
  t.equal(full.slots.length, SERVERS_MAX)
  t.strictSame(full.leftOut, ['s254', 's255'])
  const next = testExternal(2, ['new'])
  t.strictSame(arrange(full.slots, { own: OWN, external: next }, NOBODY).leftOut, ['new'])
  const gone = arrange(full.slots, { own: OWN, external: [] }, NOBODY).slots
  t.equal(gone.length, SERVERS_MAX, 'it gets no shorter')
  t.equal(shown(arrange(gone, { own: OWN, external: next }, NOBODY).slots)[2], 'new')
  t.strictSame(arrange(gone, { own: OWN, external: next }, () => true).leftOut, ['new'])
})

t.test('server slots: a random walk never gives an index away that somebody refers to', async t => {
  let seed = 7
  const random = (below: number): number => {
    seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 1 | 0
    return (seed >>> 0) % below
  }
  const names = Array.from({ length: 12 }, (_, at) => `s${at}`)
  /** Who refers to which index, by the name that it had then. */
  const users = new Map<number, string>()
  let slots: readonly Slot[] = OWN
  for (let step = 0; step < 5000; step++) {
    const wanted = names.filter(() => random(3) === 0)
    const external: readonly ExternalServer[] = testExternal(0, wanted)
    slots = arrange(slots, { own: OWN, external }, server => users.has(server)).slots
    const broken = [...users].filter(([index, name]) => slots[index]!.name !== name)
    if (broken.length > 0) t.strictSame(broken, [], `step ${step}`)
    for (const name of wanted) if (!shown(slots).includes(name)) t.fail(`${name} has no index`)
    const at = random(slots.length)
    const slot = slots[at]!
    if (random(2) === 0) users.delete(at)
    else if (slot.kind === 'external') users.set(at, slot.name)
  }
  t.ok(slots.length <= 2 + names.length * 2, `${slots.length} indexes`)
})

t.test('server slots: of our own only weight and capacity are the settings\' of now', async t => {
  const said = testServers([9000, 9001], [{ weight: 5 }, { capacity: 7 }])
  t.strictSame(ownAsSaid(OWN, said), [
    { ...OWN[0], weight: 5, capacity: undefined }, { ...OWN[1], weight: 1, capacity: 7 }
  ])
})
