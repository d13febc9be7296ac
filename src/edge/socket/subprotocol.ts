/** Names the version of schemas/wire.fbs. */
export const SUBPROTOCOL = "powerplay.1";
