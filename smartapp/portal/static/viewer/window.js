/**
 * From stored pixel values to grey: pure functions, PS3.3 §C.7.6.3, §C.11.1 and §C.11.2.
 *
 * A look-up table over all possible stored values costs 64 K steps when the window changes and makes each
 * picture one table read per pixel, whatever the slope, sign or inversion.
 */

/** Windows by intent, as [centre, width] in Hounsfield units: they mean something on CT only. */
export const CT_PRESETS = Object.freeze({
  lung: [-600, 1500],
  bone: [480, 2500],
  soft: [50, 400],
  brain: [40, 80],
});

/**
 * The function that turns the bits of one stored sample into its value.
 * `format`: {bitsStored, highBit, signed}. Bits outside the sample may hold overlays and are cut off.
 */
export function sampleReader({ bitsStored, highBit, signed }) {
  const shift = highBit + 1 - bitsStored;
  const mask = 2 ** bitsStored - 1;
  const signBit = 2 ** (bitsStored - 1);
  return (raw) => {
    const value = (raw >> shift) & mask;
    return signed && value & signBit ? value - 2 ** bitsStored : value;
  };
}

/** A modality value as a share from 0 (black) to 1 (white), PS3.3 §C.11.2.1.2 (LINEAR) and §C.11.2.1.3. */
export function windowed(value, [centre, width], shape) {
  if (shape === "SIGMOID") return 1 / (1 + Math.exp((-4 * (value - centre)) / width));
  const exact = shape === "LINEAR_EXACT";
  const middle = exact ? centre : centre - 0.5;
  const span = exact ? width : width - 1;
  if (span <= 0) return value > middle ? 1 : 0;
  return Math.min(1, Math.max(0, (value - middle) / span + 0.5));
}

/** The table from raw sample to grey (0–255) for one picture format and window. */
export function greyTable(format, window) {
  const read = sampleReader(format);
  const table = new Uint8Array(2 ** format.bitsAllocated);
  for (let raw = 0; raw < table.length; raw += 1) {
    const share = windowed(read(raw) * format.slope + format.intercept, window, format.shape);
    table[raw] = Math.round(255 * (format.inverted ? 1 - share : share));
  }
  return table;
}

/** Writes the picture's greys into `rgba` (one 32-bit word per pixel; alpha is the high byte on every host we know). */
export function paintGrey(samples, table, rgba) {
  for (let i = 0; i < rgba.length; i += 1) {
    rgba[i] = 0xff000000 | (table[samples[i]] * 0x010101);
  }
}

/** The window that shows all of a picture that brings none of its own; padding pixels are not counted. */
export function fullWindow(samples, format) {
  const read = sampleReader(format);
  let low = Infinity;
  let high = -Infinity;
  for (const raw of samples) {
    const value = read(raw);
    if (value === format.padding) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  const ends = [low * format.slope + format.intercept, high * format.slope + format.intercept];
  const width = Math.abs(ends[1] - ends[0]) + 1;
  return [(ends[0] + ends[1] + 1) / 2, width];
}

/** The window after a drag by (dx, dy) pixels: to the right widens it (less contrast), upwards lowers it (brighter). */
export function draggedWindow([centre, width], dx, dy) {
  const pace = Math.max(width / 256, 0.01);
  return [centre + dy * pace, Math.max(1, width + dx * pace)];
}
