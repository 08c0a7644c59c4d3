/** Protocol versions that this build speaks, newest first. */
export const protocolVersions: readonly number[] = [2, 1]

export const frameBytesMax = 65_536
export const frameHeaderBytes = 8
export const messageBytesMax = 1_048_576

/** A head as a visitor or upstream sent it; larger is refused. */
export const headBytesMax = 65_536
/** Room for what the relay adds to a head, and the prefix of OPEN. */
export const headRoomBytes = 4_096
export const headerFieldsMax = 256
export const trailerBytesMax = 16_384
/** Interim responses before the final one. More is an attack or a loop. */
export const informationalMax = 32

export const streamsMax = 10_000
export const streamWindowBytes = 4_194_304
/** Each stream may have this much in flight beside the session's window, at most an eighth of its own. */
export const streamFloorBytesMax = 16_384
export const sessionWindowBytes = 8_388_608
/** A peer may ask for no larger windows than these, or our own memory would follow its wish. */
export const windowBytesMax = 67_108_864

/** Credit owed is returned at once from here on, less of it after the delay. */
export const creditBytes = 131_072
export const creditDelayMs = 20

/** Above this much in the link's socket, streams wait. */
export const linkBufferBytes = 262_144
/** Control frames go out all the same. A peer that leaves this much unread, and makes us say more, is cut off. */
export const linkBacklogBytesMax = 2_097_152
/** Frames of one turn; the rest waits for the next. */
export const turnBytesMax = 524_288

export const helloTimeoutMs = 10_000
export const pingIntervalMs = 5_000
/** Intervals without a byte after which the peer is gone: 20 to 25 s. */
export const silentIntervalsMax = 4

/** The most that UDP over IPv4 carries. */
export const datagramBytesMax = 65_507
/** Datagrams that wait for the link in one session; beyond, the oldest is dropped. */
export const datagramQueueBytesMax = 65_536
/** Late datagrams are worth less than none. */
export const datagramAgeMsMax = 500
/** A flow without a datagram either way ends after this. */
export const flowIdleMs = 60_000
/** A flow that the upstream has never answered ends after this. */
export const unansweredIdleMs = 10_000
