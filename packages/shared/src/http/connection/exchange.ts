/**
 * A request and its reply, as far as the life of their connection depends on them. Every door has
 * its own: node:http's ServerResponse is one as it stands, and a door on node:net makes a value
 * with these few properties.
 */
export interface Exchange {
  /** False: the reply says `Connection: close`. May be changed until its head has been sent. */
  shouldKeepAlive: boolean
  /** The head of the reply has been sent. */
  readonly headersSent: boolean
  /** The reply is complete, sent or still to be sent. */
  readonly writableEnded: boolean
  readonly req: {
    /** The whole request has been received. */
    readonly complete: boolean
  }
}
