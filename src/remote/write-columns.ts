// The samples of one remote-write request as columns, reused from request to request.

const INITIAL_SAMPLES = 2048;
const INITIAL_SERIES = 512;

/** Growable columns; sample i is (refs[i], times[i], values[i]). */
export class WriteColumns {
  refs: Uint32Array = new Uint32Array(INITIAL_SAMPLES);
  times: Float64Array = new Float64Array(INITIAL_SAMPLES);
  values: Float64Array = new Float64Array(INITIAL_SAMPLES);
  /** The bits of `values`, two words a sample, so that markers survive. */
  words: Uint32Array = new Uint32Array(this.values.buffer);
  /** Samples in use. */
  length = 0;
  /** The reference each series of the request was found under, by its position in the request. */
  seriesRefs: Uint32Array = new Uint32Array(INITIAL_SERIES);

  /** Makes room for one more sample. */
  reserve(): void {
    if (this.length < this.times.length) return;
    const capacity = this.times.length * 2;
    this.refs = grown(new Uint32Array(capacity), this.refs);
    this.times = grown(new Float64Array(capacity), this.times);
    this.values = grown(new Float64Array(capacity), this.values);
    this.words = new Uint32Array(this.values.buffer);
  }

  setSeriesRef(position: number, ref: number): void {
    if (position >= this.seriesRefs.length) {
      this.seriesRefs = grown(new Uint32Array(position * 2), this.seriesRefs);
    }
    this.seriesRefs[position] = ref;
  }
}

function grown<Column extends Uint32Array | Float64Array>(larger: Column, held: Column): Column {
  larger.set(held);
  return larger;
}
