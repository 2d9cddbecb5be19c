/** How a camera encodes one stream, as it says itself. */
export interface VideoSettings {
  /** `H264`, `H265`, `JPEG`, … as RTP calls it. */
  readonly encoding: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** A level of the camera's own, within {@link VideoChoices.quality}. */
  readonly quality: number;
  /** Frames per second at most; absent where the camera does not say it. */
  readonly fps?: number;
  /** Kilobits per second at most; absent likewise. */
  readonly bitrateKilobits?: number;
  /** Frames from one key frame to the next; absent likewise, and where all are key frames. */
  readonly groupFrames?: number;
  /** `Baseline`, `Main`, `High`, … as Media2 names them; absent likewise. */
  readonly profile?: string;
}

/** What of it can be set; whatever is absent stays as it is. The encoding cannot: it is what everybody who watches has set up. */
export type VideoChange = Partial<Omit<VideoSettings, "encoding">>;

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What a camera can be set to, with the encoding that it has. */
export interface VideoChoices {
  /** At least one. */
  readonly sizes: readonly { readonly width: number; readonly height: number }[];
  readonly quality: Range;
  /** Frames per second. Empty where the camera does not say. */
  readonly rates: readonly number[];
  /** Absent where the camera does not say. */
  readonly bitrateKilobits?: Range;
  readonly groupFrames?: Range;
  /** Empty where the camera does not say. */
  readonly profiles: readonly string[];
}

/** The encoder of one stream. */
export interface VideoEncoder {
  readonly settings: VideoSettings;
  readonly choices: VideoChoices;
}
