/**
 * The most that Node does with connections: they are taken over from the listening handle, no
 * sockets are made of them, all are read into one buffer, and after a connection's first request
 * nothing is read of the others; the same buffer is written again: PORT FOLDER. No HTTP server, and
 * nobody who takes nothing is waited for; the limit of anything that can be built on Node.
 */
import { createServer } from 'node:net'
import { repliesOf } from './made-beforehand.mjs'

const [, , port, folder] = process.argv
const replyTo = repliesOf(folder)
const buffer = Buffer.allocUnsafeSlow(65_536)
// eslint-disable-next-line n/no-deprecated-api -- there is no other way to a handle's requests
const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError } = process.binding('stream_wrap')

function onRead () {
  const length = streamBaseState[kReadBytesOrError]
  if (length < 0) this.close()
  if (length <= 0) return
  this.first ??= replyTo(buffer.subarray(0, length))
  this.writeBuffer(new WriteWrap(), this.first.reply)
  if (this.first.isLast) this.shutdown(new ShutdownWrap())
}

const server = createServer()
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 }, () => {
  server._handle.onconnection = (error, handle) => {
    if (error !== 0 || handle === undefined) return
    handle.first = undefined
    handle.onread = onRead
    handle.useUserBuffer(buffer)
    handle.setNoDelay(true)
    handle.readStart()
  }
})
