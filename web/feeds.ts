import { demand } from "../auth/access.ts";
import type { Audit } from "../auth/audit.ts";
import type { Leases } from "../auth/leases.ts";
import type { Principal } from "../auth/principal.ts";
import type { CameraRight } from "../auth/right.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Turns } from "../base/turns.ts";
import type { BridgedCamera, BridgedStream } from "../bridge/camera.ts";
import { AgedSource, recordedUnder } from "../bridge/client-side/aged-source.ts";
import type { PtzHolders } from "../bridge/client-side/ptz-holders.ts";
import { streamOf, type Watch } from "../bridge/client-side/watch.ts";
import type { Discovery } from "../bridge/ports.ts";
import type { WebSocket } from "../net/websocket.ts";
import { showLive, unplayable, type Viewer } from "./live.ts";
import { type PlayableStream, PlaybackFeed } from "./playback-feed.ts";
import { PtzFeed } from "./ptz-feed.ts";
import { hearRecorded } from "./recorded-sound.ts";
import { hearLive } from "./sound.ts";
import type { WebDoor } from "./state.ts";
import type { RecordedFootage } from "./timeline.ts";

const LIMITS = {
  /** Events that wait for one page; it is hung up on beyond, and begins again. */
  unsentEventBytes: 1024 * 1024,
};

/** How long a camera may take before a page is told that it cannot be reached. */
const READY_LIMIT_MS = 10_000;

/** Private close code (RFC 6455 7.4.2): the right to watch ended. */
export const CLOSE_ENDED = 4403;

export interface FeedsOptions {
  readonly audit: Audit;
  readonly watch: Watch;
  readonly ptzHolders: PtzHolders;
  readonly leases: Leases;
  readonly discovery: Discovery;
  readonly footage: RecordedFootage;
  readonly clock: Clock;
  readonly log: Log;
}

/** Who is at the other end, and until when. */
export interface FeedVisitor {
  readonly who: Principal;
  readonly door: WebDoor;
  readonly address: string;
  /** Aborted when the web session is over. What runs by a token ends by its leases alone. */
  readonly ended: AbortSignal;
  /** Of the account, over all its pages: what costs reading is done one after the other. */
  readonly turns: Turns;
}

/** That are needed together. */
type Rights = readonly [CameraRight, ...CameraRight[]];

/** What goes over WebSockets of pages that were let in: each demands its right, and ends with it. */
export class Feeds {
  readonly #o: FeedsOptions;

  constructor(o: FeedsOptions) {
    this.#o = o;
  }

  events(ws: WebSocket, { who, door, address, ended }: FeedVisitor): void {
    try {
      demand(this.#o.audit, who, { right: "adopt-camera", interface: door, address });
    } catch {
      ws.close(CLOSE_ENDED);
      return;
    }
    const lease = this.#o.leases.open(who, [{ right: "adopt-camera", interface: door, address }]);
    const stop = this.#o.discovery.listen((event) => {
      if (ws.bufferedAmount > LIMITS.unsentEventBytes) ws.terminate();
      else ws.send(JSON.stringify(event));
    });
    ws.once("close", stop);
    ws.once("close", lease.close);
    endWith(ws, AbortSignal.any([lease.ended, ended]));
  }

  live(ws: WebSocket, visitor: FeedVisitor, id: string, name: string | undefined): Promise<void> {
    return this.#flow(ws, visitor, { id, name, rights: ["live"], verb: "watch" }, showLive);
  }

  /** What goes with the picture, over a connection of its own. */
  sound(ws: WebSocket, visitor: FeedVisitor, id: string, name: string | undefined): Promise<void> {
    return this.#flow(ws, visitor, { id, name, rights: ["audio", "live"], verb: "hear" }, hearLive);
  }

  /** Whatever `begin` sends of a live stream, for as long as all of the rights are there. */
  async #flow<Message extends object>(
    ws: WebSocket,
    visitor: FeedVisitor,
    {
      id,
      name,
      rights,
      verb,
    }: {
      readonly id: string;
      readonly name: string | undefined;
      readonly rights: Rights;
      readonly verb: "watch" | "hear";
    },
    begin: (stream: BridgedStream, viewer: Viewer<Message>, log: Log) => () => void,
  ): Promise<void> {
    const { who, door, address, ended } = visitor;
    try {
      const camera = this.#open(visitor, id, rights);
      const lease = this.#o.watch.run(who, camera, rights, door, address);
      let bytes = 0;
      ws.once("close", () => lease.close({ bytes }));
      const over = AbortSignal.any([lease.ended, ended]);
      endWith(ws, over);
      const stream = streamOf(camera, name);
      await stream.live.ready(READY_LIMIT_MS, over);
      if (ws.readyState !== ws.OPEN) return;
      const viewer = {
        get queuedBytes() {
          return ws.bufferedAmount;
        },
        text: (message: Message) => ws.send(JSON.stringify(message)),
        binary: (media: Buffer) => {
          bytes += media.length;
          ws.send(media);
        },
      };
      ws.once("close", begin(stream, viewer, this.#o.log.child({ camera: id, account: who.name })));
    } catch (error) {
      refuseIn(ws, unplayable(error, verb));
    }
  }

  playback(
    ws: WebSocket,
    { who, door, address, ended, turns }: FeedVisitor,
    id: string,
    name: string | undefined,
  ): void {
    try {
      const camera = this.#o.watch.open(who, id, "playback", door, address);
      // Missing where there is no such stream.
      streamOf(camera, name);
      const lease = this.#o.watch.run(who, camera, ["playback"], door, address);
      ws.once("close", lease.close);
      const { footage, clock } = this.#o;
      const playable = (wanted: string | undefined): PlayableStream | undefined => {
        if (wanted !== undefined && !camera.streams.some(({ info }) => info.name === wanted)) return undefined;
        // Where none is named, another one than the main one may be meant; what is named is that one.
        const recorded = wanted === undefined ? camera.recorded : footage.source(id, wanted);
        return {
          source: recordedUnder(recorded, lease, clock),
          thumbnails: new AgedSource(recorded, { clock, maxAgeMs: () => lease.maxAgeMs }),
        };
      };
      const feed = new PlaybackFeed(ws, {
        camera: id,
        stream: name,
        playable,
        turns,
        footage,
        clock,
        log: this.#o.log.child({ camera: id, account: who.name }),
      });
      ws.once("close", () => feed.close());
      // A page may take its time to close its end; nothing is read for it any more.
      endWith(ws, AbortSignal.any([lease.ended, ended]), () => feed.close());
    } catch (error) {
      refuseIn(ws, unplayable(error, "watch"));
    }
  }

  /** What goes with the picture of a recording, over a connection of its own. */
  recordedSound(ws: WebSocket, visitor: FeedVisitor, id: string, name: string | undefined): void {
    const { who, door, address, ended } = visitor;
    try {
      const rights: Rights = ["audio", "playback"];
      const camera = this.#open(visitor, id, rights);
      const { recorded } = streamOf(camera, name);
      const lease = this.#o.watch.run(who, camera, rights, door, address);
      ws.once("close", lease.close);
      const source = recordedUnder(recorded, lease, this.#o.clock);
      const log = this.#o.log.child({ camera: id, account: who.name });
      const close = hearRecorded(ws, { source, clock: this.#o.clock, log });
      ws.once("close", close);
      endWith(ws, AbortSignal.any([lease.ended, ended]), close);
    } catch (error) {
      refuseIn(ws, unplayable(error, "hear"));
    }
  }

  /** Moves of one camera. */
  ptz(ws: WebSocket, { who, door, address, ended }: FeedVisitor, id: string): void {
    try {
      const camera = this.#o.watch.open(who, id, "ptz", door, address);
      const lease = this.#o.watch.run(who, camera, ["ptz"], door, address);
      ws.once("close", lease.close);
      const log = this.#o.log.child({ camera: id, account: who.name });
      const feed = new PtzFeed(ws, camera, { who, from: { interface: door, address } }, { ...this.#o, log });
      ws.once("close", () => feed.close());
      // A changed account is known anew with the next connection.
      endWith(ws, AbortSignal.any([lease.ended, ended, who.revoked]), () => feed.close());
    } catch {
      refuseIn(ws, { type: "refused", why: "This camera is not there, or you may not move it." });
    }
  }

  /** A camera on which the visitor has all of the rights. Faults as {@link Watch.open}. */
  #open({ who, door, address }: FeedVisitor, id: string, [first, ...others]: Rights): BridgedCamera {
    const camera = this.#o.watch.open(who, id, first, door, address);
    for (const right of others) this.#o.watch.open(who, id, right, door, address);
    return camera;
  }
}

function refuseIn(ws: WebSocket, words: { readonly type: "unplayable" | "refused"; readonly why: string }): void {
  if (ws.readyState !== ws.OPEN) return;
  ws.send(JSON.stringify(words));
  ws.close(CLOSE_ENDED);
}

/** Nothing stays at the signal when the connection is over: a log-in outlasts many of them. */
function endWith(ws: WebSocket, signal: AbortSignal, close = (): void => undefined): void {
  const end = (): void => {
    close();
    ws.close(CLOSE_ENDED);
  };
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  ws.once("close", () => signal.removeEventListener("abort", end));
}
