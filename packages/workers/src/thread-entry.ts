/**
 * Where each thread of the program begins: runs the bundle that its data name. A server's that was
 * started before its boot data were known waits for these, and may listen meanwhile: the kernel
 * takes visitors in while the rest is loaded.
 */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { canSharePorts } from '@usher/shared/http/listen.ts'
import { openPort } from '@usher/shared/http/opened-port.ts'
import type { BootData, EarlyOrder, News, ThreadData } from '@usher/shared/messages.ts'

const data = workerData as ThreadData & Partial<BootData>

if (data.isEarly === true) waitForBoot(parentPort!)
else void run()

/** What it takes to load a bundle is loaded here, for the first redirect waits for the port. */
async function run (): Promise<void> {
  const { runBundle } = await import('@usher/shared/bundle.ts')
  runBundle(import.meta.dirname, data.bundle)
}

function waitForBoot (port: MessagePort): void {
  const take = (order: EarlyOrder): void => {
    if (order.type === 'listen') {
      listen(order.host, order.port)
      return
    }
    port.off('message', take)
    Object.assign(data, order.boot)
    void run() // Listens there, before the loop turns.
  }
  // What has come already is taken before the thread's loop turns.
  const first = receiveMessageOnPort(port)
  port.on('message', take)
  if (first !== undefined) take(first.message as EarlyOrder)
}

function listen (host: string, port: number): void {
  const openedPort = openPort(host, port, canSharePorts)
  if (openedPort === undefined) return // The bundle opens it, or says what is wrong.
  data.openedPort = openedPort
  parentPort!.postMessage({ type: 'listening' } satisfies News)
}
