import type { JSX } from "preact";
import type { Camera } from "../../api.ts";
import { Pad } from "./pad.tsx";
import { Presets } from "./presets.tsx";
import "./ptz.css";

/** What moves a camera, below its live picture, as far as the camera can be moved and the account may. */
export function Ptz({ camera }: { readonly camera: Camera }): JSX.Element | null {
  const { id, moves, mayMove, mayKeepPresets } = camera;
  if (moves === undefined || (!mayMove && !mayKeepPresets)) return null;
  return (
    <section class="ptz" aria-label="Move the camera">
      {mayMove && (moves.panTilt || moves.zoom) ? <Pad camera={id} moves={moves} /> : null}
      {moves.presets || moves.home ? (
        <Presets camera={id} home={moves.home} presets={moves.presets} mayMove={mayMove} mayKeep={mayKeepPresets} />
      ) : null}
    </section>
  );
}
