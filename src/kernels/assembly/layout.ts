// Where things lie in an arena's memory. Everything below HEAP is address space that becomes resident only
// where it is used.

/** Bytes of a span, the unit in which the heap is handed out. */
export const SPAN: u32 = 16_384;

/** Results of calls that have several, as f64. */
export const CELLS: usize = 64;
/** The first span with room of every size class, u32 each. */
export const PARTIAL: usize = 1_024;
/** A chunk on its way in. */
export const INPUT: usize = 4_096;
export const INPUT_BYTES: u32 = 16_384;
/** Addresses of the spans that hold slots, u32 each: room for all that fit into 4 GiB. */
export const SLOT_SPANS: usize = 65_536;
/** Two columns of decoded samples. A chunk never has more. */
export const COLUMN: u32 = 65_536;
export const TIMES: usize = SLOT_SPANS + (1 << 20);
export const VALUES: usize = TIMES + (<usize>COLUMN << 3);
/** The first span. */
export const HEAP: usize = VALUES + (<usize>COLUMN << 3);
