// Package prefetch fetches memory into the processor's cache ahead of its use. Without an implementation for the
// processor, and with the build tag purego, it does nothing.
package prefetch
