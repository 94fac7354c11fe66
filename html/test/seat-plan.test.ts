/** Which seats are taken: the scale by its edges, the order by what it promises. */
import t from 'tap'
import { planSeats, seatingOrder } from '../room-script/seat-plan.ts'

t.test('seat plan: a seat stands for as few people as will do', async t => {
  const check = (people: number, peoplePerSeat: number, takenSeatCount: number): void => {
    t.strictSame(planSeats(people, 60), { peoplePerSeat, takenSeatCount }, `${people} people`)
  }
  check(0, 1, 0)
  check(1, 1, 1)
  check(60, 1, 60)
  check(61, 10, 7)
  check(600, 10, 60)
  check(601, 100, 7)
  check(131_072, 10_000, 14)
})

t.test('seat plan: every seat has its turn once, yours first', async t => {
  for (const yourSeat of [0, 27, 59]) {
    const order = seatingOrder(60, yourSeat)
    t.equal(order[0], yourSeat)
    t.strictSame([...order].sort((a, b) => a - b), Array.from({ length: 60 }, (_, seat) => seat))
  }
})

t.test('seat plan: the front fills before the back, but not row by row', async t => {
  const half = seatingOrder(60, 27).slice(1, 30)
  t.ok(half.filter(seat => seat < 30).length > 20, 'most of the first half sit in front')
  t.ok(half.some(seat => seat >= 30), 'some do not')
})
