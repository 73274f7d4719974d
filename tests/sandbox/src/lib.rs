//! An in-tree Weaviate.
