/** The heap against a list that is sorted and cut. */
import fc from 'fast-check'
import t from 'tap'
import { FirstSlots, isBefore } from '@usher/shared/memory/first-slots.ts'
import { SLOT_WORDS } from '@usher/shared/memory/layout.ts'

/** Words that tell which slot they came from. */
function slotWords (place: number): Int32Array {
  return Int32Array.from({ length: SLOT_WORDS }, (_, word) => place * 100 + word)
}

t.test('first slots: keeps the first ones in order, with their words', async t => {
  const offers = fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 60 })
  fc.assert(fc.property(offers, fc.integer({ min: 1, max: 20 }), (keys, limit) => {
    const slots = new FirstSlots(limit)
    const words = new Int32Array(SLOT_WORDS * (keys.length + 1))
    for (const [place, key] of keys.entries()) {
      words.set(slotWords(place), place * SLOT_WORDS)
      slots.offer(key, place, words, place * SLOT_WORDS)
    }
    words.fill(-1) // What was kept is a copy.
    const wanted = [...keys.entries()]
      .map(([place, key]) => ({ key, place, words: [...slotWords(place)] }))
      .sort((a, b) => a.key - b.key || a.place - b.place)
      .slice(0, limit)
    const kept = slots.inOrder().map(slot => ({ ...slot, words: [...slot.words] }))
    if (JSON.stringify(kept) !== JSON.stringify(wanted)) {
      throw new Error(`${JSON.stringify(kept)} is not ${JSON.stringify(wanted)}`)
    }
  }), { numRuns: 500 })
  t.pass('500 walks')
})

t.test('first slots: of equal keys the place decides, and nobody is before themself', async t => {
  t.equal(isBefore(1, 9, 2, 0), true)
  t.equal(isBefore(2, 0, 1, 9), false)
  t.equal(isBefore(1, 1, 1, 2), true)
  t.equal(isBefore(1, 1, 1, 1), false)
})
