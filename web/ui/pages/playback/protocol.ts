/** Milliseconds since 1970, UTC. */
export type Instant = number;

export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** What of a range is recorded of one stream. */
export interface Timeline extends Span {
  readonly type: "timeline";
  readonly stream: string;
  /** The earliest and latest that may be played; absent where there is none. */
  readonly extent?: Span;
  readonly spans: readonly Span[];
  /** What of these was fetched from the camera's own recording. */
  readonly fetched: readonly Span[];
  /** `to` is absent while it lasts. */
  readonly gaps: readonly {
    readonly from: Instant;
    readonly to?: Instant;
    readonly cause: string;
    readonly why: string;
  }[];
}

/** What the bridge tells of a recording; bytes follow `stream`, `pictures` and `key-frame`. */
export type Told =
  | { readonly type: "stream"; readonly run: number; readonly mime: string }
  | { readonly type: "pictures"; readonly run: number; readonly at: readonly Instant[] }
  /** Everything that was asked for is told; the next picture is at that instant. */
  | { readonly type: "waiting"; readonly run: number; readonly next: Instant }
  | { readonly type: "end"; readonly run: number }
  | { readonly type: "unplayable"; readonly run?: number; readonly why: string }
  /** The bytes are those of the decoder configuration, and the picture. */
  | {
      readonly type: "key-frame";
      readonly asked: Instant;
      readonly at: Instant;
      readonly codec: string;
      readonly width: number;
      readonly height: number;
      readonly configBytes: number;
    }
  | { readonly type: "no-key-frame"; readonly asked: Instant; readonly why?: string }
  | Timeline;

/** What it is asked for, of one of the camera's streams. Of each stream one run is read at a time. */
export type Asked = { readonly stream: string } & (
  | {
      readonly type: "read";
      readonly run: number;
      readonly from: Instant;
      readonly until: Instant;
      readonly backward: boolean;
    }
  | { readonly type: "more"; readonly run: number; readonly until: Instant }
  | { readonly type: "stop" }
  | { readonly type: "timeline"; readonly from: Instant; readonly to: Instant }
  | { readonly type: "key-frame"; readonly at: Instant }
);
