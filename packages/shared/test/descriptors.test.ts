import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import {
  descriptorOf, isSpare, lowestFreeDescriptor, readLimit, SPARE_DESCRIPTORS
} from '../src/descriptors.ts'

t.test('descriptors: the limit is the system\'s, and none where nobody says', async t => {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })
  t.equal(readLimit(), Number(stdout))
  const files = t.testdir({
    limits: 'Limit  Soft Limit  Hard Limit  Units\nMax open files            90                   4096                 files\n',
    unlimited: 'Max open files            unlimited            unlimited            files\n'
  })
  t.equal(readLimit(`${files}/limits`), 90)
  t.equal(readLimit(`${files}/unlimited`), Infinity)
  t.equal(readLimit(`${files}/nowhere`), Infinity)
})

t.test('descriptors: the last ones are spare', async t => {
  t.notOk(isSpare(99, 100 + SPARE_DESCRIPTORS))
  t.ok(isSpare(100, 100 + SPARE_DESCRIPTORS))
  t.notOk(isSpare(99, Infinity))
  t.notOk(isSpare(readLimit() - SPARE_DESCRIPTORS - 1), 'the system\'s limit')
  t.ok(isSpare(readLimit() - SPARE_DESCRIPTORS))
})

t.test('descriptors: a socket has the lowest one that was free, until it closes', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const lowest = lowestFreeDescriptor()
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  t.equal(descriptorOf(socket), lowest)
  socket.destroy()
  await once(socket, 'close')
  t.equal(descriptorOf(socket), -1)
  server.close()
})
