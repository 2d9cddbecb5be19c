/** What may stand in `Require` (RFC 2326 12.32). */

/** ONVIF's replay (ONVIF Streaming 6.2). */
export const ONVIF_REPLAY = "onvif-replay";

/** Sound, or other data, from client to server (ONVIF Streaming 5.3.1). */
export const BACK_CHANNEL = "www.onvif.org/ver20/backchannel";
