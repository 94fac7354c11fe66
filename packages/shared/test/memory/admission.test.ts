import t from 'tap'
import { addUser, admit, isFull, usedSlots } from '@usher/shared/memory/admission.ts'
import { withActive, withSeen } from '@usher/shared/memory/layout.ts'
import { freshCommit } from '@usher/shared/memory/shard.ts'
import { addressNumber, clientNumber, HOME, testTable } from './test-table.ts'

/** An active user as the steps of a visit or a restore give it. */
function userNumber (number: number, seen = 2) {
  const client = clientNumber(number)
  const commit = withSeen(withActive(freshCommit(client), 0), seen)
  return { client, address: addressNumber(number), commit, reservedUntilMs: 0 }
}

t.test('admission: up to MAX_USERS, each once, and then nobody', async t => {
  const { view } = testTable({ users: 16 })
  for (let number = 0; number < 16; number++) t.type(addUser(view, userNumber(number)), 'number')
  t.equal(addUser(view, userNumber(3)), 'present', 'who is in is not in the way of themself')
  t.equal(addUser(view, userNumber(16)), 'full')
  t.equal(usedSlots(view), 16)
})

t.test('admission: the table is full when nobody in it gives way', async t => {
  for (const [seen, isFullAtLast] of [[1, false], [2, true]] as const) {
    const { view } = testTable({ users: 16 })
    for (let number = 0; number < 15; number++) addUser(view, userNumber(number))
    t.equal(isFull(view), false, 'one place is free')
    addUser(view, userNumber(15, seen))
    t.equal(isFull(view), isFullAtLast)
    t.equal(addUser(view, userNumber(16)) === 'full', isFullAtLast)
  }
})

t.test('admission: somebody gives way to a newcomer', async t => {
  const { view } = testTable({ users: 16 })
  for (let number = 0; number < 16; number++) addUser(view, userNumber(number, 1))
  t.type(admit(view, { ...userNumber(16), replaced: undefined }), 'number')
  t.equal(usedSlots(view), 16)
})

t.test('admission: who replaces another comes into a full table, from a full address', async t => {
  const { view } = testTable({ users: 16 })
  for (let number = 0; number < 16; number++) {
    addUser(view, { ...userNumber(number), address: HOME })
  }
  const newcomer = { ...userNumber(16), address: HOME }
  t.equal(admit(view, { ...newcomer, replaced: undefined }), 'address-full')
  const replaced = { commit: 1, firstSeenS: 5, lastSeenMs: 5000, reservedUntilMs: 0 }
  t.type(admit(view, { ...newcomer, replaced }), 'number')
  t.equal(usedSlots(view), 17, 'until the other is removed, which is the next step')
})

t.test('admission: whoever was in before a restart is put back, however many from one address', async t => {
  const { table, view } = testTable({ users: 400 })
  for (let number = 0; number < 400; number++) {
    t.type(addUser(view, { ...userNumber(number), address: HOME }), 'number')
  }
  t.same(table.check(), [])
})
