/** What is read from the servers' numbers, and what is said of them. */
import t from 'tap'
import { barScale, parseRooms, spreadSentence, type Room } from '../room-script/spread.ts'

const rooms = (...counts: number[]): Room[] =>
  counts.map((peopleCount, index) => ({ port: 8000 + index, peopleCount }))

t.test('spread: the header is read whole or not at all', async t => {
  t.strictSame(parseRooms('8000=11, 8001=10, 8002=0'), rooms(11, 10, 0))
  t.strictSame(parseRooms('8000=4194304'), rooms(4_194_304))
  const many = Array.from({ length: 32 }, (_, index) => `${9000 + index}=1`)
  t.equal(parseRooms(many.join(', '))?.length, 32)
  t.equal(parseRooms([...many, '9999=1'].join(', ')), undefined)
  const nonsense = [null, '', '8000', '8000=', '8000=-1', '8000=1,8001=2', '8000=1, ', '8000=x', '=1', '800000=1']
  for (const header of nonsense) t.equal(parseRooms(header), undefined, String(header))
})

t.test('spread: says where the guests went when the difference is theirs alone', async t => {
  const check = (before: Room[], after: Room[], cameCount: number, expected: string): void => {
    t.equal(spreadSentence(before, after, cameCount), expected)
  }
  check(rooms(1, 0, 0), rooms(11, 10, 10), 30, '30 people came in by the front door: 10, 10 and 10.')
  check(rooms(0, 0), rooms(1, 0), 1, '1 person came in by the front door: 1 and 0.')
  check(rooms(5), rooms(35), 30, '30 people came in by the front door.')
})

t.test('spread: says less when other people came too, and nothing when some went', async t => {
  const check = (before: Room[], after: Room[], expected: string): void => {
    t.equal(spreadSentence(before, after, 30), expected)
  }
  check(rooms(0, 0, 0), rooms(11, 10, 10), 'The rooms have 11, 10 and 10 people more than before.')
  check(rooms(0, 0, 0), rooms(2, 2, 1), 'The rooms have 2, 2 and 1 people more than before.')
  check(rooms(0, 0, 0), rooms(0, 0, 0), '')
  check(rooms(0, 5, 0), rooms(16, 4, 11), '')
  check(rooms(0, 0), rooms(10, 10, 10), '')
  check([{ port: 1, peopleCount: 0 }], [{ port: 2, peopleCount: 30 }], '')
})

t.test('spread: a full bar stands for 30 people, or for twice as many, and so on', async t => {
  t.equal(barScale(rooms(0, 0, 0)), 30)
  t.equal(barScale(rooms(30, 29)), 30)
  t.equal(barScale(rooms(1, 31)), 60)
  t.equal(barScale(rooms(1000)), 1920)
})
