"""Problems, plans and settlements as JSON: read strictly, written as the contracts say."""
