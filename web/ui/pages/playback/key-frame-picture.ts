import { unshowable } from "../../unshowable.ts";

/** One key frame as the camera encoded it. */
export interface KeyFrame {
  /** As RFC 6381 has it, or `jpeg`. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** The decoder configuration record; empty for JPEG. */
  readonly config: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Decodes a key frame by itself, to a picture of so many lines. Throws an Error whose message is a sentence for people. */
export async function pictureOf(frame: KeyFrame, lines: number): Promise<ImageBitmap> {
  const size = { resizeHeight: lines, resizeQuality: "medium" } as const;
  if (frame.codec === "jpeg") return createImageBitmap(new Blob([frame.data], { type: "image/jpeg" }), size);
  if (!("VideoDecoder" in window)) throw new Error("This browser cannot decode single pictures.");
  const decoded = await decode(frame);
  try {
    return await createImageBitmap(decoded, size);
  } finally {
    decoded.close();
  }
}

async function decode({ codec, width, height, config, data }: KeyFrame): Promise<VideoFrame> {
  const asked: VideoDecoderConfig = { codec, codedWidth: width, codedHeight: height, description: config };
  const { supported } = await VideoDecoder.isConfigSupported(asked);
  if (supported !== true) throw new Error(unshowable(codec));
  let found: VideoFrame | undefined;
  const decoder = new VideoDecoder({
    output: (frame) => {
      if (found === undefined) found = frame;
      else frame.close();
    },
    // It rejects `flush` too.
    error: () => undefined,
  });
  try {
    decoder.configure(asked);
    decoder.decode(new EncodedVideoChunk({ type: "key", timestamp: 0, data }));
    await decoder.flush();
  } catch {
    throw new Error("The browser cannot decode this picture.");
  } finally {
    if (decoder.state !== "closed") decoder.close();
  }
  if (found === undefined) throw new Error("The browser cannot decode this picture.");
  return found;
}
