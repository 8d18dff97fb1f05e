// Where the samples of a series are put for the window kernels to see.

import { windowKernels } from '../../kernels/windows.ts';
import { SampleColumns } from '../../storage/samples.ts';

/**
 * Columns over the kernels' memory, which all of a thread share: they hold one series from `clear` until the
 * caller gives way. A series too long for them moves into columns of its own.
 */
export class WindowColumns extends SampleColumns {
  constructor() {
    super(0);
    this.clear();
  }

  override clear(): void {
    super.clear();
    const { times, values } = windowKernels();
    this.times = times;
    this.values = values;
  }

  /** True where the kernels see everything there is to see: floats, in their memory. */
  get forKernels(): boolean {
    return this.histograms === null && this.times === windowKernels().times;
  }
}
