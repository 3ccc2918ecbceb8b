// Images in whole device pixels: each pixel of an image is a square of 1, 2, 3 … of them, never a blend.

const BESIDE = 24; // CSS pixels around an image

// The greatest whole number of device pixels a pixel with which columns x rows of an image fit, at least 1.
export function zoomFor(image, columns, rows, wanted) {
  if (wanted > 0)
    return wanted;
  const ratio = window.devicePixelRatio || 1;
  const width = (window.innerWidth - BESIDE * (columns + 1)) / columns * ratio;
  const height = (window.innerHeight - 190 - BESIDE * rows) / rows * ratio;
  return Math.max(1, Math.min(8, Math.floor(Math.min(width / image.naturalWidth, height / image.naturalHeight))));
}

export function fit(image, zoom) {
  const ratio = window.devicePixelRatio || 1;
  image.style.width = `${image.naturalWidth * zoom / ratio}px`;
  image.style.height = `${image.naturalHeight * zoom / ratio}px`;
}
