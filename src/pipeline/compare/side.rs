//! The two sides of a comparison. Each gives the objects of a stretch of keys, sorted by id: the left one in pieces, stretch
//! by stretch, the right one object by object, as the left one needs them.

pub(super) mod archived;
pub(super) mod live;
