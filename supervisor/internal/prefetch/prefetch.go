// Package prefetch asks the processor for memory ahead of time, which Go has no
// words for. Where it is not implemented, and with the build tag purego, it does
// nothing.
package prefetch
