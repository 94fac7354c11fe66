/** sirv on node:http: PORT FOLDER. Without `dev` it looks at files at the start only. */
import { createServer } from 'node:http'
import sirv from 'sirv'

const [, , port, folder] = process.argv
createServer(sirv(folder, { etag: true })).listen(Number(port), '127.0.0.1')
