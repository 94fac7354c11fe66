/*
 * The lock of a shard and the shard that it guards (src/memory/lock.ts, shard.ts, recovery.ts), as
 * WORKERS threads and the coordinator take their steps in every order. Up to DEATHS of them die, between
 * any two steps; the coordinator recovers when a thread has ended. `npm run verify` has spin look
 * at every state, and at those of the mutants that the #ifdefs make: each must be found out.
 *
 * A step that has its name behind an `@` here has it in the code too, and the other way round.
 *
 * Simplified: the shard is one slot (its commit word) and one counter derived from it. A sleep has
 * no time limit here, so nobody is ever helped by one. A compare-and-exchange that fails and is
 * tried again is one step, because it changes nothing.
 *
 * Holds: nobody is inside with another; who enters finds the counter true and no user lost whose
 * arrival was acknowledged; and nobody sleeps for ever (spin: no invalid end state).
 */
#ifndef WORKERS
#define WORKERS 3
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#define WAIT 16
#define COORDINATOR 7

byte word = 0;              /* 0, or the owner's number, plus WAIT */
bool slot = false;          /* the truth */
byte load = 0;              /* what is derived from it */

byte inside = 0;            /* threads in the section; a dead one counts until it is recovered */
bool acknowledged = false;  /* the last operation that ended was an arrival */
byte deaths = 0;            /* of DEATHS, those that have happened or never will */
bool isAsleep[WORKERS + 1];
bool isDead[WORKERS + 1];
bool isRecovered[WORKERS + 1];

#define MAY_DIE atomic { if :: deaths < DEATHS -> deaths++; goto DEAD :: true fi }

inline wakeOne () {
  if
  :: isAsleep[1] -> isAsleep[1] = false
  :: isAsleep[2] -> isAsleep[2] = false
#if WORKERS > 2
  :: isAsleep[3] -> isAsleep[3] = false
#endif
  :: else -> skip
  fi
}

inline wakeAll () {
  isAsleep[1] = false; isAsleep[2] = false
#if WORKERS > 2
  ; isAsleep[3] = false
#endif
}

proctype Worker (byte me) {
  byte held; byte rounds = 0; bool arrives; byte mark;

NEXT:
  if :: rounds == ROUNDS -> goto END :: else -> rounds++ fi;
  MAY_DIE;
  atomic { if :: word == 0 -> word = me; goto INSIDE :: else -> skip fi };              /* @TRY */

AGAIN:
  MAY_DIE;
#ifdef FORGET_WAIT
  mark = 0;
#else
  mark = WAIT;
#endif
  atomic { held = word;
    if :: held == 0 -> word = me + mark; goto INSIDE :: else -> skip fi };     /* @TRY_AGAIN */
  MAY_DIE;
  atomic {
    if
    :: held >= WAIT -> skip
    :: held < WAIT && word == held -> held = held + WAIT; word = held               /* @MARK */
    :: else -> goto AGAIN
    fi };
  MAY_DIE;
  atomic { if :: word == held -> isAsleep[me] = true :: else -> goto AGAIN fi };    /* @SLEEP */
  atomic {
    if
    :: !isAsleep[me] -> skip
    :: deaths < DEATHS -> deaths++; isAsleep[me] = false; goto DEAD
    fi };
  goto AGAIN;             /* dying here takes along a wake-up that was meant for somebody */

INSIDE:
  atomic { inside++; assert(inside == 1) };
  assert(load == slot);
  assert(!acknowledged || slot);
  if :: arrives = true :: arrives = false; acknowledged = false fi;
  MAY_DIE;
  if :: arrives && !slot -> load++ :: else -> skip fi;                                /* @RAISE */
  MAY_DIE;
  if
  :: arrives -> slot = true                                                           /* @STORE */
  :: !arrives && slot -> slot = false; MAY_DIE; load--                                /* @LOWER */
  :: else -> skip
  fi;
  MAY_DIE;
  acknowledged = arrives;
  MAY_DIE;
  atomic { inside--; held = word; word = 0 };                                       /* @RELEASE */
  if :: held >= WAIT -> MAY_DIE; atomic { wakeOne() } :: else -> skip fi;            /* @NOTIFY */
  goto NEXT;

DEAD:
  isDead[me] = true;
END:
  skip
}

/* The exit events of dead threads: strictly after their last step, one after another. */
proctype Coordinator () {
  byte dead; byte held;
end:
  do
  :: atomic {
       isDead[1] && !isRecovered[1] -> dead = 1 }; goto RECOVER
  :: atomic {
       isDead[2] && !isRecovered[2] -> dead = 2 }; goto RECOVER
#if WORKERS > 2
  :: atomic {
       isDead[3] && !isRecovered[3] -> dead = 3 }; goto RECOVER
#endif
  od;

RECOVER:
#ifndef NO_RECOVERY
  held = word;
  if
  :: held == dead || held == dead + WAIT ->
#ifdef EARLY_RELEASE
       atomic { word = 0; inside-- };
       load = slot
#else
       word = COORDINATOR + WAIT;                                                 /* @TAKE_OVER */
#ifndef NO_REPAIR
       load = slot;                                                                  /* @REPAIR */
#endif
       atomic { inside--; word = 0 };                                               /* @GIVE_UP */
       atomic { wakeOne() }
#endif
  :: else -> skip
  fi;
#ifndef NO_NOTIFY_ALL
  atomic { wakeAll() };                                                          /* @NOTIFY_ALL */
#endif
#endif
  isRecovered[dead] = true;
  goto end
}

init {
  atomic {
    /* No more than so many: a thread that might yet die would not count as stuck. */
    do :: deaths < DEATHS -> deaths++ :: break od;
    run Worker(1); run Worker(2);
#if WORKERS > 2
    run Worker(3);
#endif
    run Coordinator()
  }
}
