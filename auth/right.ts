/**
 * What may be done with a camera. Holding any of them on a camera makes the camera visible. `metadata` lets what happens go with
 * the picture, live and recorded; `talk` lets through sound to the camera's speaker, for who watches live.
 */
export type CameraRight = "live" | "playback" | "metadata" | "talk";

/** What may be done with the product itself. */
export type SystemRight = "adopt-camera" | "manage-accounts" | "read-status";

export type Right = CameraRight | SystemRight;

/** The door through which a request comes. */
export type Interface = "web" | "api" | "onvif" | "rtsp" | "cli";
