/**
 * The thread of touch.ts that touches: users in the table, or in a Map on the main thread by
 * postMessage. The same ids in the same order, each at a server of its own.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { formatClient, parseAddress, parseClientId, type Client } from '@usher/shared/client.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { MAIN_THREAD_TAG, WORKER_PATIENCE } from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { IN_FLIGHT, SERVERS, TOUCHES, USERS, type TouchOrder, type TouchThreadData } from './touch.ts'

const port = parentPort!
const { memory } = workerData as TouchThreadData
const table = new UserTable(memory, {
  threadTag: MAIN_THREAD_TAG + 1, patience: WORKER_PATIENCE, now: monotonicNowMs
})
const clients = Array.from({ length: USERS }, newClient)
const ids = clients.map(formatClient)
const address = parseAddress('192.0.2.1')!
let sent = 0

port.on('message', (order: TouchOrder) => {
  if (order === 'map') sent = 0
  if (order === 'table') touchTable(0)
  else if (order === 'moves') touchTable(1)
  else if (sent < TOUCHES) return postBatch()
  port.postMessage('done')
})

/** @param moved added to the server at each round through the users: 0 for those who stay */
function touchTable (moved: number): void {
  for (let touch = 0; touch < TOUCHES; touch++) {
    const user = userOf(touch)
    table.touch(clients[user]!, (user + moved * touch) % SERVERS, address)
  }
}

function postBatch (): void {
  for (let batch = 0; batch < IN_FLIGHT; batch++, sent++) {
    const user = userOf(sent)
    port.postMessage({ id: ids[user]!, server: user % SERVERS })
  }
}

/** All of them again and again, in an order that no cache foresees. */
function userOf (touch: number): number {
  return touch * 7919 % USERS
}

function newClient (): Client {
  return parseClientId(crypto.randomUUID())!
}
